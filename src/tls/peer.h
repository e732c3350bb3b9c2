/*
 * Catches the client's certificates for their owner on their way through wolfSSL, which hands them over as they came and
 * makes nothing of them. The module asks for proof of the leaf's key (tls/proof). The worth of the certificates is decided
 * elsewhere.
 */
#ifndef TLS_PEER_H
#define TLS_PEER_H

#include "tls/peer_chain.h"
#include "tls/wolfssl.h"

/* Has `wolfssl` ask for a client certificate and hand over each that comes. WOLFSSL_SUCCESS, or wolfSSL's error. */
int tls_peer_install(WOLFSSL_CTX *wolfssl);

/* Forgets what this thread holds, and captures for `owner` from now on, at most `size_max` bytes. */
void tls_peer_begin(const void *owner, size_t size_max);
/* Marks the caught chain as too large: the client presented more certificates than were caught. */
void tls_peer_lacks_some(void);
/* Ends the capture, if it has not ended yet. A certificate after this is a broken invariant. */
void tls_peer_end(void);
/*
 * Returns the chain of the last capture, if the capture was for `owner` and caught anything; else NULL. The chain is valid
 * until the next tls_peer_begin.
 */
const struct tls_peer_chain *tls_peer_chain(const void *owner);

#endif
