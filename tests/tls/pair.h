/* A session of ours and a client of wolfSSL's, joined by memory. */
#ifndef TESTS_TLS_PAIR_H
#define TESTS_TLS_PAIR_H

#include "tls/session.h"

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

enum { PAIR_BUFFER_SIZE = 512 * 1024 };

struct pair_buffer {
    size_t size;
    uint8_t data[PAIR_BUFFER_SIZE];
};

struct pair_options {
    const char *client;           /* NAME of data/client-NAME.pem; NULL: the client has no certificate */
    const char *client_key;       /* NAME of another key than its own */
    bool tls12;                   /* the client speaks TLS 1.2 only; else TLS 1.3 only */
    const char *suite;            /* the only one that the client offers, in wolfSSL's name; NULL: all */
    bool no_key_share;            /* TLS 1.3: the client waits for a HelloRetryRequest before it makes one */
    int group;                    /* the only one that the client offers, by its number; 0: all */
    const char *alpn;             /* protocols that the client offers; NULL: none */
    enum tls_protocols protocols; /* that the server agrees on */
    size_t chain_size_max;        /* 0: 16 KiB */
    size_t step;                  /* bytes that the server is fed at once; 0: all there are */
    void (*tamper)(uint8_t *data,
                   size_t size); /* changes what the client sends, on its way; NULL: it comes as it was sent */
    WOLFSSL_CTX *client_wolfssl; /* to use instead of a new one; not owned */
    WOLFSSL_SESSION *session;    /* to resume; not owned */
};

struct pair {
    struct tls_session *server;
    WOLFSSL_CTX *client_wolfssl;
    bool owns_client_wolfssl;
    WOLFSSL *client;
    struct pair_buffer to_client;
    struct pair_buffer to_server;
    size_t step;
    void (*tamper)(uint8_t *data, size_t size);
    enum tls_result result; /* of the server's last call */
    bool client_done;
    bool has_session; /* the client has something to resume with */
    unsigned hellos;  /* ClientHellos in the clear that the client has sent */
    int client_error; /* wolfSSL's, once the client has failed */
    /* The chain as tls_session_peer_chain gave it, its bytes copied. */
    bool caught;
    struct tls_peer_chain chain;
    uint8_t chain_bytes[TLS_PEER_CHAIN_SIZE_MAX];
    /* The answers of the server's owner about tickets, and the questions that the owner was asked. */
    bool refuses_binding;
    bool refuses_ticket;
    uint8_t binding[TLS_TICKET_BINDING_SIZE];
    uint8_t accepted[TLS_TICKET_BINDING_SIZE];
    unsigned binds;
    unsigned accepts;
    bool bound_when_resumed;
};

/* A file of tests/tls/data. Malloc'd; the test fails when it is not there. */
struct bytes data_read(const char *name);
void data_free(struct bytes data);

/* Context with data/server-NAME.pem. The credentials stay in memory with it. */
struct tls_credentials *server_credentials(const char *name);
struct tls_context *server_context(struct tls_credentials *credentials, bool request_certificate);

/* A client's context: versions, certificate and key as `options` have them. */
WOLFSSL_CTX *client_context(const struct pair_options *options);
/* Has a client present the chain, and sign with the key. Frees both, which are of data_read. */
void client_use(WOLFSSL_CTX *wolfssl, struct bytes chain, struct bytes key);

/* NULL when the session or the client could not be made. Malloc'd. */
struct pair *pair_open(struct tls_context *context, const struct pair_options *options);
void pair_close(struct pair *pair);
/* Runs both handshakes until neither can go on. True when both are done. */
bool pair_handshake(struct pair *pair);
/* Returns the result of the server's last call as text, for messages. */
const char *pair_result(const struct pair *pair);
/* Copies what tls_session_peer_chain gives, if it gives something. */
void pair_keep_chain(struct pair *pair);
/* The client reads the server's tickets, and gives what it could resume with: wolfSSL_SESSION_free it. */
WOLFSSL_SESSION *pair_session(struct pair *pair);
/* Feeds the server what the client has sent, and reads up to `capacity` bytes of plaintext until it wants more. */
size_t pair_server_read(struct pair *pair, void *plaintext, size_t capacity);
/* Bytes that the client can read now; negative: wolfSSL's error. */
int pair_client_read(struct pair *pair, void *plaintext, size_t capacity);
/* The client writes all of it. */
void pair_client_write(struct pair *pair, const void *plaintext, size_t size);
/* The description of the alert that the server sent last and the client read, or -1. */
int pair_alert(struct pair *pair);

#endif
