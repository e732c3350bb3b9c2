/* What the files of tls/ share among themselves. Not for other folders: wolfSSL's headers stay behind this one. */
#ifndef TLS_INTERNAL_H
#define TLS_INTERNAL_H

#include "tls/context.h"
#include "tls/proof.h"
#include "tls/tickets.h"

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#if !defined(WOLFSSL_CA_NAMES_DER) || !defined(WOLFSSL_CTX_RNG) || !defined(WOLFSSL_CLIENT_AUTH_HOOKS) ||                   \
    !defined(WOLFSSL_CTX_CHAIN_DER) || !defined(WOLFSSL_CLIENT_OFFER) || !defined(WOLFSSL_HELLO_RETRY) ||                   \
    !defined(WOLFSSL_SKIP_EARLY_DATA)
#error "this wolfSSL is not the one that tools/deps builds, with tools/patches: run tools/deps"
#endif

_Static_assert(TLS_TICKET_OVERHEAD <= WOLFSSL_TICKET_EXTRA_PADDING_SZ, "wolfSSL's tickets have room for ours");
_Static_assert(TLS_TICKET_NAME_SIZE == WOLFSSL_TICKET_NAME_SZ && TLS_TICKET_NONCE_SIZE == WOLFSSL_TICKET_IV_SZ &&
                   TLS_TICKET_TAG_SIZE == WOLFSSL_TICKET_MAC_SZ,
               "tickets.h has wolfSSL's sizes");

struct tls_context {
    WOLFSSL_CTX *wolfssl;
    uint8_t *ca_names; /* as the CertificateRequest has them; NULL when none are sent */
    size_t ca_names_size;
    struct tls_tickets *tickets; /* NULL: sessions are not resumed */
    uint32_t ticket_lifetime_s;
};

/* wolfSSL's I/O: what was fed to the session, and its output. `session` is a struct tls_session. */
int tls_session_receive(WOLFSSL *wolfssl, char *buffer, int capacity, void *session);
int tls_session_send(WOLFSSL *wolfssl, char *buffer, int size, void *session);

/* Its proof of possession. `session` is a struct tls_session. */
struct tls_proof *tls_session_proof(void *session);

/*
 * Both hellos where there is a HelloRetryRequest, each behind its handshake header: the first one with a `group` of 0, the
 * second with that of the share that was asked for. 0, or the alert to end with.
 */
int tls_session_hello_retry(WOLFSSL *wolfssl, const unsigned char *hello, unsigned size, unsigned short group);
/* Sees the plaintext of each record: 0, or the alert that the session is to end with. */
int tls_session_record(WOLFSSL *wolfssl, int type, const unsigned char *data, unsigned size);

/* wolfSSL's tickets, to seal or to open. `context` is a struct tls_context. */
int tls_session_ticket(WOLFSSL *wolfssl, unsigned char name[WOLFSSL_TICKET_NAME_SZ],
                       unsigned char nonce[WOLFSSL_TICKET_IV_SZ], unsigned char tag[WOLFSSL_TICKET_MAC_SZ], int sealing,
                       unsigned char *body, int size, int *size_out, void *context);

/* wolfSSL's text for one of its errors, for people. Static. */
static inline const char *tls_error_text(int error) {
    return wolfSSL_ERR_reason_error_string((unsigned long)error);
}

#endif
