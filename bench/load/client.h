/*
 * The client's side of TLS 1.3 or 1.2, as bytes in and bytes out. The only file of the generator that knows wolfSSL's TLS.
 *
 * It is built for one core that has to saturate a server's core. Unlike a real client it
 * does not check the server's chain and CertificateVerify (37 us), and signs by signer.h where its key is P-256. All that
 * the server has to check or compute is genuine: a fresh key share for each handshake, and a fresh CertificateVerify by the
 * client's key.
 */
#ifndef BENCH_LOAD_CLIENT_H
#define BENCH_LOAD_CLIENT_H

#include "base/bytes.h"

#include <stdbool.h>

enum { CLIENT_ERROR_SIZE = 512 };

/* One client's certificate chain and key, or none of them, with the settings that all of its sessions share. */
struct client_credentials;

struct client_settings {
    const char *name; /* server name that sessions send */
    uint16_t group; /* IANA's number of the one group for the key exchange; 0: X25519, and P-256 where the server lacks it */
    bool tls12;     /* TLS 1.2 alone, else 1.3 alone */
};

/* Once for the process. 0, or -ENOSYS when wolfSSL refuses. */
int client_library_init(void);

/*
 * `file` is a PEM file with leaf, intermediates and key; NULL: presents no certificate. NULL with one line in `error`,
 * which is empty otherwise.
 */
struct client_credentials *client_credentials_load(const char *file, const struct client_settings *settings,
                                                   char error[static CLIENT_ERROR_SIZE]);
void client_credentials_free(struct client_credentials *credentials);

/* Takes ciphertext to send: 0, or a negative errno after which the session is failed. */
typedef int client_output_fn(void *owner, struct bytes ciphertext);

/* A session ticket, with the secret that belongs to it. */
struct client_ticket;

struct client {
    void *wolfssl;
    client_output_fn *output;
    void *owner;
    struct bytes input; /* fed and not yet consumed */
    int error;          /* wolfSSL's, of the call that failed; 0 before */
    bool ticket_came;   /* and has not been taken */
};

enum client_result {
    CLIENT_DONE,
    CLIENT_WANT_INPUT, /* all input was consumed and more is needed */
    CLIENT_CLOSED,     /* close_notify has come */
    CLIENT_FAILED,     /* for good */
};

/* 0, or -ENOMEM. The credentials must outlive the session. `http2`: it is the one protocol that is offered, else HTTP/1.1
 * is. */
int client_open(struct client *client, struct client_credentials *credentials, bool http2, client_output_fn *output,
                void *owner);
/* Sends another server name than that of its credentials. Before the handshake. 0, or -ENOMEM. */
int client_set_name(struct client *client, const char *name);
void client_close(struct client *client);

/*
 * The handshake shall resume with `ticket`, which stays the caller's: but RFC 8446 appendix C.4 wants each one used once,
 * and so do browsers. Before the handshake; psk_dhe_ke alone is offered, the only one that servers here accept. 0, or
 * -EKEYEXPIRED.
 */
int client_resume(struct client *client, const struct client_ticket *ticket);
/* The bytes of a ticket that the next handshake of `client` shall resume with: their size, or 0 when `capacity` is too
 * small. */
size_t client_ticket_bytes(const struct client *client, uint8_t *out, size_t capacity);
/* After the handshake. */
bool client_speaks_http2(const struct client *client);
bool client_resumed(const struct client *client);
/*
 * The newest ticket that came in this session, or NULL when none has come since. It is the caller's: client_ticket_free.
 */
struct client_ticket *client_take_ticket(struct client *client);
/* NULL is allowed. */
void client_ticket_free(struct client_ticket *ticket);

/* Sets the input that the next calls consume; it must stay until one of them returned something else than CLIENT_DONE. */
void client_feed(struct client *client, struct bytes ciphertext);
/* The first call sends the ClientHello. CLIENT_DONE once, when Finished has been sent. */
enum client_result client_handshake(struct client *client);
/* CLIENT_DONE with *size > 0 bytes of plaintext. */
enum client_result client_read(struct client *client, void *plaintext, size_t capacity, size_t *size);
/* At most one record. CLIENT_DONE or CLIENT_FAILED. */
enum client_result client_write(struct client *client, struct bytes plaintext);
/* Sends close_notify. */
void client_shutdown(struct client *client);

/* After the handshake: "TLSv1.3 TLS13-AES128-GCM-SHA256". */
void client_describe(const struct client *client, char *text, size_t size);
/* The number of the alert that the server has sent, 0 to 255, or -1. */
int client_alert(const struct client *client);
/* wolfSSL's text for what went wrong. Static. */
const char *client_error_text(const struct client *client);

#endif
