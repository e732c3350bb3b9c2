/*
 * A ClientHello as a modern client sends it (RFC 8446 section 4.1.2), in one record, made once; and made fresh again for
 * next to nothing. Any 32 bytes are a key share of X25519, so a client that will never need the key need not have one.
 */
#ifndef BENCH_LOAD_CLIENT_HELLO_H
#define BENCH_LOAD_CLIENT_HELLO_H

#include "base/bytes.h"
#include "load/noise.h"

enum {
    CLIENT_HELLO_TICKET_MAX = 2048,
    CLIENT_HELLO_SIZE_MAX = 3072,
    CLIENT_HELLO_RECORD_HEADER = 5, /* bytes in front of the handshake message */
};

struct client_hello {
    uint8_t data[CLIENT_HELLO_SIZE_MAX];
    uint16_t size;
    uint16_t random_at;
    uint16_t session_at;
    uint16_t share_at;
    uint16_t ticket_at; /* 0: it offers none */
    uint16_t ticket_size;
    uint16_t age_at;
    uint16_t binder_at;
};

/*
 * `name` is the server name, at most 255 characters. `ticket_size` bytes of a ticket are offered, to be filled by
 * client_hello_refresh or client_hello_set_ticket; 0: none.
 */
void client_hello_build(struct client_hello *hello, const char *name, size_t ticket_size);
/* The same bytes in each hello from now on: a ticket of the size that it was built for. */
void client_hello_set_ticket(struct client_hello *hello, struct bytes ticket);
/*
 * A new random, session id and key share; and behind a ticket an age and a binder that no key made. `ticket`: a new one
 * of these too.
 */
void client_hello_refresh(struct client_hello *hello, struct noise *noise, bool ticket);

/* The hello's message up to the binders, which a binder signs (RFC 8446 section 4.2.11.2). It offers a ticket. */
struct bytes client_hello_unbound(const struct client_hello *hello);

/* The message without its record's header. */
static inline struct bytes client_hello_message(const struct client_hello *hello) {
    return bytes_of(hello->data + CLIENT_HELLO_RECORD_HEADER, hello->size - CLIENT_HELLO_RECORD_HEADER);
}

static inline struct bytes client_hello_bytes(const struct client_hello *hello) {
    return bytes_of(hello->data, hello->size);
}

#endif
