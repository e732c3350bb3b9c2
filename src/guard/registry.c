#include "guard/registry.h"

#include "base/key_group.h"

unsigned registry_suite_use(uint16_t suite) {
    switch (suite) {
    case 0x1301: /* TLS_AES_128_GCM_SHA256 */
    case 0x1302: /* TLS_AES_256_GCM_SHA384 */
    case 0x1303: /* TLS_CHACHA20_POLY1305_SHA256 */
        return USE_SUITE_TLS13;
    case 0xc02b: /* TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 */
    case 0xc02c: /* TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 */
    case 0xcca9: /* TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 */
        return USE_SUITE_ECDSA;
    case 0xc02f: /* TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 */
    case 0xc030: /* TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 */
    case 0xcca8: /* TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 */
        return USE_SUITE_RSA;
    case 0x5600: /* TLS_FALLBACK_SCSV */
        return USE_FALLBACK_SCSV;
    default:
        return 0;
    }
}

size_t registry_key_share_size(uint16_t group) {
    return key_group_share_size(key_group_of(group));
}

unsigned registry_group_use(uint16_t group) {
    enum key_group known = key_group_of(group);
    if (known == KEY_GROUP_NONE) {
        return 0;
    }
    if (key_group_is_hybrid(known)) {
        return USE_GROUP_HYBRID;
    }
    return USE_GROUP | (group == 0x0017 ? USE_CURVE_P256 : group == 0x0018 ? USE_CURVE_P384 : 0);
}

unsigned registry_scheme(uint16_t scheme) {
    switch (scheme) {
    case 0x0403: /* ecdsa_secp256r1_sha256 */
        return SCHEME_ECDSA_SHA256;
    case 0x0503: /* ecdsa_secp384r1_sha384 */
        return SCHEME_ECDSA_SHA384;
    case 0x0603: /* ecdsa_secp521r1_sha512 */
        return SCHEME_ECDSA_SHA512;
    case 0x0807: /* ed25519 */
        return SCHEME_ED25519;
    case 0x0804: /* rsa_pss_rsae_sha256 */
        return SCHEME_PSS_SHA256;
    case 0x0805: /* rsa_pss_rsae_sha384 */
        return SCHEME_PSS_SHA384;
    case 0x0806: /* rsa_pss_rsae_sha512 */
        return SCHEME_PSS_SHA512;
    case 0x0401: /* rsa_pkcs1_sha256 */
        return SCHEME_PKCS1_SHA256;
    case 0x0501: /* rsa_pkcs1_sha384 */
        return SCHEME_PKCS1_SHA384;
    case 0x0601: /* rsa_pkcs1_sha512 */
        return SCHEME_PKCS1_SHA512;
    default:
        return 0;
    }
}

/* A certificate does not say of which of its two kinds the RSA key is that has signed it with PSS. */
unsigned registry_chain_scheme(uint16_t scheme) {
    switch (scheme) {
    case 0x0809: /* rsa_pss_pss_sha256 */
        return SCHEME_PSS_SHA256;
    case 0x080a: /* rsa_pss_pss_sha384 */
        return SCHEME_PSS_SHA384;
    case 0x080b: /* rsa_pss_pss_sha512 */
        return SCHEME_PSS_SHA512;
    default:
        return registry_scheme(scheme);
    }
}
