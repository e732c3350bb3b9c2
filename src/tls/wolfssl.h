/* wolfSSL's own headers, of the wolfSSL that tools/deps builds. Not for other folders: they stay behind tls/. */
#ifndef TLS_WOLFSSL_H
#define TLS_WOLFSSL_H

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#if !defined(WOLFSSL_CA_NAMES_DER) || !defined(WOLFSSL_CTX_RNG) || !defined(WOLFSSL_CLIENT_AUTH_HOOKS) ||                   \
    !defined(WOLFSSL_CTX_CHAIN_DER) || !defined(WOLFSSL_CLIENT_OFFER) || !defined(WOLFSSL_HELLO_RETRY) ||                   \
    !defined(WOLFSSL_SKIP_EARLY_DATA)
#error "this wolfSSL is not the one that tools/deps builds, with tools/patches: run tools/deps"
#endif

/* Returns wolfSSL's text for one of its errors, for people. Static. */
static inline const char *tls_error_text(int error) {
    return wolfSSL_ERR_reason_error_string((unsigned long)error);
}

#endif
