/* What the files of tls/ share among themselves. Not for other folders: wolfSSL's headers stay behind this one. */
#ifndef TLS_INTERNAL_H
#define TLS_INTERNAL_H

#include "tls/context.h"

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#if !defined(WOLFSSL_CA_NAMES_DER) || !defined(WOLFSSL_CTX_RNG) || !defined(WOLFSSL_PUBLIC_ASN)
#error "this wolfSSL is not the one that tools/deps builds, with tools/patches: run tools/deps"
#endif

struct tls_context {
    WOLFSSL_CTX *wolfssl;
    uint8_t *ca_names; /* as the CertificateRequest has them; NULL when none are sent */
    size_t ca_names_size;
};

/* wolfSSL's I/O: what was fed to the session, and its output. `session` is a struct tls_session. */
int tls_session_receive(WOLFSSL *wolfssl, char *buffer, int capacity, void *session);
int tls_session_send(WOLFSSL *wolfssl, char *buffer, int size, void *session);

/* wolfSSL's text for one of its errors, for people. Static. */
static inline const char *tls_error_text(int error) {
    return wolfSSL_ERR_reason_error_string((unsigned long)error);
}

#endif
