/* The certificates that a client has presented. */
#ifndef TLS_PEER_CHAIN_H
#define TLS_PEER_CHAIN_H

#include "base/bytes.h"

enum {
    TLS_PEER_CHAIN_MAX = 17, /* certificates that are kept: one more than a chain may have, to show that it is too long */
    TLS_PEER_CHAIN_SIZE_MAX = 64 * 1024,
};

/* They are as they came, leaf first: views into memory of their session. */
struct tls_peer_chain {
    struct bytes certificates[TLS_PEER_CHAIN_MAX];
    size_t count;
    bool too_large; /* more bytes than the limit; `certificates` has some of them, the leaf among them where it fits */
};

#endif
