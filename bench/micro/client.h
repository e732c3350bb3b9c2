/* A client of wolfSSL's, of TLS 1.3 or 1.2, whose bytes go to and from memory. As cheap as can be: it does not check the
 * server. */
#ifndef BENCH_MICRO_CLIENT_H
#define BENCH_MICRO_CLIENT_H

#include "base/bytes.h"

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

enum { CLIENT_BUFFER_SIZE = 16 * 1024 };

struct client_buffer {
    size_t size;
    uint8_t data[CLIENT_BUFFER_SIZE];
};

struct client {
    WOLFSSL *wolfssl;
    WOLFSSL_SESSION *session; /* to resume with, once each; owned; NULL: none */
    bool ticket_came;         /* in the session under way */
    struct client_buffer to_server;
    struct client_buffer to_client;
};

/* Key shares of X25519 and AES-128-GCM with SHA-256 alone. `chain_pem` and `key_pem`: sizes 0 for none. */
WOLFSSL_CTX *client_context_create(struct bytes chain_pem, struct bytes key_pem, bool tls12);

/* Writes the ClientHello to `to_server`. With `resume` the session that `client_keep_ticket` kept is used up. */
void client_begin(struct client *client, WOLFSSL_CTX *context, bool resume);
/* Takes the server's flight from `to_client` and writes the client's. With TLS 1.3 the handshake must be complete with it.
 */
void client_complete(struct client *client);
/* Reads what the server sent behind its Finished. True when a ticket was in it, which is kept in `session`. */
bool client_keep_ticket(struct client *client);
void client_end(struct client *client);

/* Appends to a buffer that has the room. */
void client_buffer_append(struct client_buffer *buffer, struct bytes bytes);

#endif
