/* The operations of lanes by wolfCrypt, one at a time: for tests and for the fuzz target. */
#ifndef TESTS_CRYPTO_REFERENCE_H
#define TESTS_CRYPTO_REFERENCE_H

#include "base/check.h"
#include "crypto/lanes.h"

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/curve25519.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/rsa.h>

static inline WC_RNG *reference_rng(void) {
    static WC_RNG rng;
    static bool made;
    if (!made) {
        CHECK(wc_InitRng(&rng) == 0);
        made = true;
    }
    return &rng;
}

static inline size_t reference_ec_size(enum lanes_curve curve) {
    return curve == LANES_P256 ? 32 : 48;
}

static inline int reference_ec_id(enum lanes_curve curve) {
    return curve == LANES_P256 ? ECC_SECP256R1 : ECC_SECP384R1;
}

static inline void reference_x25519_public(const uint8_t *private_key, uint8_t public_key[static 32]) {
    uint8_t clamped[32];
    memcpy(clamped, private_key, sizeof clamped);
    clamped[0] &= 248;
    clamped[31] = (uint8_t)((clamped[31] & 127) | 64);
    CHECK(wc_curve25519_make_pub(32, public_key, 32, clamped) == 0);
}

static inline bool reference_x25519_shared(const uint8_t *private_key, const uint8_t *peer, uint8_t secret[static 32]) {
    uint8_t masked[32];
    curve25519_key own;
    curve25519_key other;
    word32 size = 32;
    memcpy(masked, peer, sizeof masked);
    masked[31] &= 127; /* RFC 7748 section 5 */
    CHECK(wc_curve25519_init(&own) == 0 && wc_curve25519_init(&other) == 0);
    bool good = wc_curve25519_import_private_ex(private_key, 32, &own, EC25519_LITTLE_ENDIAN) == 0 &&
                wc_curve25519_import_public_ex(masked, 32, &other, EC25519_LITTLE_ENDIAN) == 0 &&
                wc_curve25519_shared_secret_ex(&own, &other, secret, &size, EC25519_LITTLE_ENDIAN) == 0;
    wc_curve25519_free(&own);
    wc_curve25519_free(&other);
    return good;
}

static inline bool reference_import_point(ecc_key *key, enum lanes_curve curve, struct bytes point) {
    /* The last argument: not trusted, so that a point off the curve is refused. */
    return point.size == 1 + 2 * reference_ec_size(curve) && point.data[0] == 4 &&
           wc_ecc_import_x963_ex2(point.data, (word32)point.size, key, reference_ec_id(curve), 1) == 0;
}

static inline bool reference_import_private(ecc_key *key, enum lanes_curve curve, const uint8_t *private_key) {
    return wc_ecc_import_private_key_ex(private_key, (word32)reference_ec_size(curve), NULL, 0, key,
                                        reference_ec_id(curve)) == 0;
}

static inline bool reference_ecdh_public(enum lanes_curve curve, const uint8_t *private_key,
                                         uint8_t point[static LANES_EC_POINT_MAX]) {
    ecc_key key;
    word32 size = LANES_EC_POINT_MAX;
    CHECK(wc_ecc_init(&key) == 0);
    bool good = reference_import_private(&key, curve, private_key) && wc_ecc_make_pub_ex(&key, NULL, reference_rng()) == 0 &&
                wc_ecc_export_x963(&key, point, &size) == 0;
    wc_ecc_free(&key);
    return good;
}

static inline bool reference_ecdh_shared(enum lanes_curve curve, const uint8_t *private_key, struct bytes peer,
                                         uint8_t x[static LANES_EC_SIZE_MAX]) {
    ecc_key own;
    ecc_key other;
    word32 size = LANES_EC_SIZE_MAX;
    CHECK(wc_ecc_init(&own) == 0 && wc_ecc_init(&other) == 0);
    bool good = reference_import_private(&own, curve, private_key) && reference_import_point(&other, curve, peer) &&
                wc_ecc_set_rng(&own, reference_rng()) == 0 && wc_ecc_shared_secret(&own, &other, x, &size) == 0;
    wc_ecc_free(&own);
    wc_ecc_free(&other);
    return good;
}

static inline bool reference_ecdsa_verify(enum lanes_curve curve, struct bytes digest, struct bytes point, struct bytes r,
                                          struct bytes s) {
    ecc_key key;
    uint8_t signature[2 * LANES_EC_SIZE_MAX + 16];
    word32 size = sizeof signature;
    int verified = 0;
    if (digest.size == 0 || r.size > reference_ec_size(curve) || s.size > reference_ec_size(curve)) {
        return false;
    }
    CHECK(wc_ecc_init(&key) == 0);
    bool good = reference_import_point(&key, curve, point) &&
                wc_ecc_rs_raw_to_sig(r.data, (word32)r.size, s.data, (word32)s.size, signature, &size) == 0 &&
                wc_ecc_verify_hash(signature, size, digest.data, (word32)digest.size, &verified, &key) == 0 && verified == 1;
    wc_ecc_free(&key);
    return good;
}

/* Makes r and s, each of the curve's size, with a random nonce. */
static inline bool reference_ecdsa_sign(enum lanes_curve curve, struct bytes digest, const uint8_t *private_key, uint8_t *r,
                                        uint8_t *s) {
    ecc_key key;
    uint8_t signature[2 * LANES_EC_SIZE_MAX + 16];
    word32 size = sizeof signature;
    word32 r_size = LANES_EC_SIZE_MAX;
    word32 s_size = LANES_EC_SIZE_MAX;
    CHECK(wc_ecc_init(&key) == 0);
    bool good = reference_import_private(&key, curve, private_key) &&
                wc_ecc_sign_hash(digest.data, (word32)digest.size, signature, &size, reference_rng(), &key) == 0 &&
                wc_ecc_sig_to_rs(signature, size, r, &r_size, s, &s_size) == 0;
    wc_ecc_free(&key);
    /* They come without zeros at the front. */
    size_t full = reference_ec_size(curve);
    if (good) {
        memmove(r + full - r_size, r, r_size);
        memset(r, 0, full - r_size);
        memmove(s + full - s_size, s, s_size);
        memset(s, 0, full - s_size);
    }
    return good;
}

static inline bool reference_ed25519_verify(const uint8_t *public_key, struct bytes message, const uint8_t *signature) {
    ed25519_key key;
    int verified = 0;
    CHECK(wc_ed25519_init(&key) == 0);
    bool good = wc_ed25519_import_public(public_key, 32, &key) == 0 &&
                wc_ed25519_verify_msg(signature, 64, message.data, (word32)message.size, &verified, &key) == 0 &&
                verified == 1;
    wc_ed25519_free(&key);
    return good;
}

static inline void reference_ed25519_public(const uint8_t *seed, uint8_t public_key[static 32]) {
    ed25519_key key;
    CHECK(wc_ed25519_init(&key) == 0 && wc_ed25519_import_private_only(seed, 32, &key) == 0 &&
          wc_ed25519_make_public(&key, public_key, 32) == 0);
    wc_ed25519_free(&key);
}

static inline void reference_ed25519_sign(const uint8_t *seed, const uint8_t *public_key, struct bytes message,
                                          uint8_t signature[static 64]) {
    ed25519_key key;
    word32 size = 64;
    CHECK(wc_ed25519_init(&key) == 0 && wc_ed25519_import_private_key(seed, 32, public_key, 32, &key) == 0 &&
          wc_ed25519_sign_msg(message.data, (word32)message.size, signature, &size, &key) == 0);
    wc_ed25519_free(&key);
}

/* input^65537 modulo the modulus, of one size; wolfCrypt does not look here whether the input is below the modulus. */
static inline bool reference_rsa_public(struct bytes modulus, struct bytes input, uint8_t *output) {
    static const uint8_t exponent[] = {1, 0, 1};
    RsaKey key;
    word32 size = (word32)modulus.size;
    CHECK(wc_InitRsaKey(&key, NULL) == 0);
    bool good =
        memcmp(input.data, modulus.data, modulus.size) < 0 &&
        wc_RsaPublicKeyDecodeRaw(modulus.data, (word32)modulus.size, exponent, sizeof exponent, &key) == 0 &&
        wc_RsaFunction(input.data, (word32)input.size, output, &size, RSA_PUBLIC_DECRYPT, &key, reference_rng()) == 0;
    wc_FreeRsaKey(&key);
    return good;
}

#endif
