#include "tls/settings.h"

#include "base/key_group.h"

#include <stdlib.h>
#include <string.h>

/* AES-128 first: SHA-256 in the key schedule is cheaper than SHA-384. In TLS 1.2 only what is ephemeral and authenticated.
 */
#define CIPHERS                                                                                                             \
    "TLS13-AES128-GCM-SHA256:TLS13-AES256-GCM-SHA384:TLS13-CHACHA20-POLY1305-SHA256:"                                       \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"                                                            \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"                                                            \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"

/* Installs chain and key. The certificates behind the leaf are laid out as the message has them; wolfSSL parses none. */
int tls_settings_use_credentials(WOLFSSL_CTX *wolfssl, const struct tls_credentials *credentials) {
    size_t size = 0;
    for (size_t i = 1; i < credentials->chain_count; i++) {
        size += 3 + credentials->chain[i].size;
    }
    uint8_t *rest = malloc(size + 1);
    if (rest == NULL) {
        return MEMORY_E;
    }
    uint8_t *end = rest;
    for (size_t i = 1; i < credentials->chain_count; i++) {
        struct bytes certificate = credentials->chain[i];
        *end++ = (uint8_t)(certificate.size >> 16);
        *end++ = (uint8_t)(certificate.size >> 8);
        *end++ = (uint8_t)certificate.size;
        memcpy(end, certificate.data, certificate.size);
        end += certificate.size;
    }
    int result = wolfSSL_CTX_use_chain_der(wolfssl, credentials->chain[0].data, (unsigned int)credentials->chain[0].size,
                                           rest, (unsigned int)size, (int)credentials->chain_count - 1,
                                           credentials->key_type, credentials->key_curve, credentials->key_size);
    free(rest);
    if (result == WOLFSSL_SUCCESS) {
        result = wolfSSL_CTX_use_PrivateKey_buffer(wolfssl, credentials->key.data, (long)credentials->key.size,
                                                   WOLFSSL_FILETYPE_ASN1);
    }
    return result;
}

/*
 * As a server wolfSSL takes the first of the groups of which the client has sent a key share, and
 * asks for another one where there is none (RFC 8446 section 4.1.1): a client that has sent X25519 alone gets X25519 at
 * once.
 */
int tls_settings_limit(WOLFSSL_CTX *wolfssl, bool only_tls13, bool without_hybrids) {
    int groups[KEY_GROUP_COUNT];
    int group_count = 0;
    for (unsigned i = 0; i < KEY_GROUP_NONE; i++) {
        if (!without_hybrids || !key_group_is_hybrid((enum key_group)i)) {
            groups[group_count++] = key_group_number((enum key_group)i);
        }
    }
    int result = wolfSSL_CTX_SetMinVersion(wolfssl, only_tls13 ? WOLFSSL_TLSV1_3 : WOLFSSL_TLSV1_2);
    if (result == WOLFSSL_SUCCESS) {
        result = wolfSSL_CTX_set_cipher_list(wolfssl, CIPHERS);
    }
    if (result == WOLFSSL_SUCCESS) {
        result = wolfSSL_CTX_set_groups(wolfssl, groups, group_count);
    }
    return result;
}
