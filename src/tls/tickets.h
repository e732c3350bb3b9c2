/*
 * Session tickets (RFC 5077, RFC 8446 section 4.6.1): the keys that seal them, one set for the process, and the part of ours
 * that stands in a ticket beside wolfSSL's session secrets. Keys are random and never leave memory: a ticket of another
 * process, or from before a restart, does not open. The key that seals is replaced after half a ticket's lifetime and still
 * opens for another half, so that traffic which is recorded today cannot be decrypted by a later look at the memory.
 *
 * A ticket is AES-256-GCM over wolfSSL's part and ours, with a counter as nonce (NIST SP 800-38D section 8.2.1), which is
 * never used twice under one key.
 */
#ifndef TLS_TICKETS_H
#define TLS_TICKETS_H

#include "base/bytes.h"

enum {
    TLS_TICKET_BINDING_SIZE = 64,                       /* the owner's: it says what a ticket stands for */
    TLS_TICKET_SECRET_MAX = 512,                        /* more than wolfSSL's part has */
    TLS_TICKET_OVERHEAD = 10 + TLS_TICKET_BINDING_SIZE, /* bytes by which a sealed ticket is larger than wolfSSL's part */
    TLS_TICKET_NAME_SIZE = 16,
    TLS_TICKET_NONCE_SIZE = 16, /* 12 used */
    TLS_TICKET_TAG_SIZE = 32,   /* 16 used */
};

struct tls_tickets;

/* Makes a set of keys, safe from any thread. NULL when out of memory or when the kernel gives no randomness. */
struct tls_tickets *tls_tickets_create(void);
/* Wipes the keys and frees the set. No other thread may be using it. NULL is allowed. */
void tls_tickets_free(struct tls_tickets *tickets);

/*
 * Wipes the keys that are over by now, all of them where `lifetime_s` is 0. Sealing and opening do so too; this call is for
 * times in which no client comes.
 */
void tls_tickets_expire(struct tls_tickets *tickets, uint64_t now_s, uint32_t lifetime_s);

/* The part of ours in a ticket, beside wolfSSL's secrets. */
struct tls_ticket {
    uint8_t version;          /* minor version of TLS: 3 is TLS 1.2, 4 is TLS 1.3 */
    uint64_t authenticated_s; /* when the last full handshake was, by a monotonic clock */
    uint8_t binding[TLS_TICKET_BINDING_SIZE];
};

/* The parts of a ticket in the order in which wolfSSL sends them. */
struct tls_ticket_parts {
    uint8_t *name;  /* TLS_TICKET_NAME_SIZE bytes: of the key */
    uint8_t *nonce; /* TLS_TICKET_NONCE_SIZE */
    uint8_t *tag;   /* TLS_TICKET_TAG_SIZE */
    uint8_t *body;
    size_t body_size; /* bytes: plaintext before sealing, ciphertext before opening; then of the result */
};

/*
 * Seals parts->body, wolfSSL's secrets of at most TLS_TICKET_SECRET_MAX bytes, in place, and `ticket` behind them: there
 * must be room for TLS_TICKET_OVERHEAD bytes more. `now_s`: seconds by the same clock; `lifetime_s` at least 1. False when
 * AES fails: nothing may be sent.
 */
bool tls_tickets_seal(struct tls_tickets *tickets, const struct tls_ticket *ticket, uint64_t now_s, uint32_t lifetime_s,
                      const struct tls_ticket_parts *parts);
/*
 * Opens a sealed ticket in place: parts->body_size becomes the size of wolfSSL's part. False when it is no ticket of ours,
 * was changed, or is older than `lifetime_s`, counted from the full handshake; parts->body is then undefined.
 */
bool tls_tickets_open(struct tls_tickets *tickets, struct tls_ticket *ticket, uint64_t now_s, uint32_t lifetime_s,
                      struct tls_ticket_parts *parts);
/* Tells whether a ticket as a client sends it opens. It may be another client's, or used before. */
bool tls_tickets_recognize(struct tls_tickets *tickets, struct bytes ticket, uint64_t now_s, uint32_t lifetime_s);

#endif
