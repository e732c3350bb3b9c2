/* The settings that contexts of both sides share: versions, suites, groups, and a certificate with its key. Private to tls/.
 */
#ifndef TLS_SETTINGS_H
#define TLS_SETTINGS_H

#include "tls/credentials.h"
#include "tls/wolfssl.h"

/*
 * Limits versions to 1.2 and 1.3, or to 1.3 alone, suites to those that are ephemeral and authenticated, and groups to those
 * of base/key_group.h: the first ones are preferred. WOLFSSL_SUCCESS, or wolfSSL's error.
 */
int tls_settings_limit(WOLFSSL_CTX *wolfssl, bool only_tls13, bool without_hybrids);

/* Installs chain and key. WOLFSSL_SUCCESS, or wolfSSL's error. */
int tls_settings_use_credentials(WOLFSSL_CTX *wolfssl, const struct tls_credentials *credentials);

#endif
