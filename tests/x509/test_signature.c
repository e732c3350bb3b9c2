#include "../crypto/reference.h"
#include "base/hash.h"
#include "crypto/p256_keys.h"
#include "support.h"
#include "x509/der.h"
#include "x509/oid.h"
#include "x509/signature.h"

/* Signatures themselves are held against the corpus: see test_path.c. */

static enum reason judge(struct bytes oid, struct bytes parameters, struct signature_algorithm *result) {
    return signature_judge_algorithm(&(struct algorithm){oid, parameters}, result);
}

#define SHA256_RSA SUPPORT_BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b")
#define SHA1_RSA   SUPPORT_BYTES("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05")
#define SHA384_ECC SUPPORT_BYTES("\x2a\x86\x48\xce\x3d\x04\x03\x03")
#define NOTHING    bytes_of(NULL, 0)
#define NULL_VALUE SUPPORT_BYTES("\x05\x00")

Test(signature, algorithms_and_their_parameters) {
    struct signature_algorithm result;
    cr_assert_eq(judge(SHA256_RSA, NULL_VALUE, &result), REASON_OK);
    cr_assert(result.kind == SIGNATURE_RSA && result.hash == SIGNATURE_SHA256);
    cr_assert_eq(judge(SHA256_RSA, NOTHING, &result), REASON_OK);
    cr_assert_eq(judge(SHA256_RSA, SUPPORT_BYTES("\x30\x00"), &result), REASON_MALFORMED);
    cr_assert_eq(judge(SHA384_ECC, NOTHING, &result), REASON_OK);
    cr_assert(result.kind == SIGNATURE_ECDSA && result.hash == SIGNATURE_SHA384);
    cr_assert_eq(judge(SHA384_ECC, NULL_VALUE, &result), REASON_MALFORMED);
    cr_assert_eq(judge(OID_ED25519, NOTHING, &result), REASON_OK);
    cr_assert_eq(judge(OID_ED25519, NULL_VALUE, &result), REASON_MALFORMED);
    cr_assert_eq(judge(SHA1_RSA, NULL_VALUE, &result), REASON_WEAK_SIGNATURE);
    cr_assert_eq(judge(SUPPORT_BYTES("\x2a\x03"), NOTHING, &result), REASON_WEAK_SIGNATURE);
}

#define SHA256_ID "\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00"
#define SHA512_ID "\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00"
#define MGF1(id)  "\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08" id

Test(signature, pss_parameters) {
    struct signature_algorithm result;
    struct bytes good = SUPPORT_BYTES("\x30\x34\xa0\x0f" SHA256_ID "\xa1\x1c" MGF1(SHA256_ID) "\xa2\x03\x02\x01\x20");
    cr_assert_eq(judge(OID_RSA_PSS, good, &result), REASON_OK);
    cr_assert(result.kind == SIGNATURE_RSA_PSS && result.hash == SIGNATURE_SHA256 && result.salt_size == 32);

    struct bytes trailer =
        SUPPORT_BYTES("\x30\x39\xa0\x0f" SHA256_ID "\xa1\x1c" MGF1(SHA256_ID) "\xa2\x03\x02\x01\x20\xa3\x03\x02\x01\x01");
    cr_assert_eq(judge(OID_RSA_PSS, trailer, &result), REASON_OK, "the default spelled out");
    struct bytes other_trailer =
        SUPPORT_BYTES("\x30\x39\xa0\x0f" SHA256_ID "\xa1\x1c" MGF1(SHA256_ID) "\xa2\x03\x02\x01\x20\xa3\x03\x02\x01\x02");
    cr_assert_eq(judge(OID_RSA_PSS, other_trailer, &result), REASON_MALFORMED);
    struct bytes mixed = SUPPORT_BYTES("\x30\x34\xa0\x0f" SHA256_ID "\xa1\x1c" MGF1(SHA512_ID) "\xa2\x03\x02\x01\x20");
    cr_assert_eq(judge(OID_RSA_PSS, mixed, &result), REASON_WEAK_SIGNATURE);
    cr_assert_eq(judge(OID_RSA_PSS, SUPPORT_BYTES("\x30\x00"), &result), REASON_WEAK_SIGNATURE, "SHA-1 by default");
    cr_assert_eq(judge(OID_RSA_PSS, SUPPORT_BYTES("\x30\x11\xa0\x0f" SHA256_ID), &result), REASON_WEAK_SIGNATURE,
                 "MGF1 with SHA-1");
    cr_assert_eq(judge(OID_RSA_PSS, NOTHING, &result), REASON_MALFORMED);
    cr_assert_eq(judge(OID_RSA_PSS, NULL_VALUE, &result), REASON_MALFORMED);
    struct bytes negative = SUPPORT_BYTES("\x30\x34\xa0\x0f" SHA256_ID "\xa1\x1c" MGF1(SHA256_ID) "\xa2\x03\x02\x01\xff");
    cr_assert_eq(judge(OID_RSA_PSS, negative, &result), REASON_MALFORMED);
}

static enum reason judge_rsa(size_t modulus_size, uint8_t top, uint8_t low, struct bytes exponent,
                             struct signature_key *key) {
    static uint8_t der[4096];
    size_t size = 0;
    size_t integer = modulus_size + (top >= 0x80 ? 1 : 0);
    size_t total = 4 + integer + 2 + exponent.size;
    const uint8_t head[] = {DER_SEQUENCE, 0x82, (uint8_t)(total >> 8),   (uint8_t)total,
                            DER_INTEGER,  0x82, (uint8_t)(integer >> 8), (uint8_t)integer};
    memset(der, 0, sizeof der);
    memcpy(der, head, sizeof head);
    size = sizeof head + (top >= 0x80 ? 1 : 0);
    der[size] = top;
    der[size + modulus_size - 1] |= low;
    size += modulus_size;
    der[size++] = DER_INTEGER;
    der[size++] = (uint8_t)exponent.size;
    memcpy(der + size, exponent.data, exponent.size);
    size += exponent.size;
    static struct certificate certificate;
    certificate = (struct certificate){.key_algorithm = {OID_RSA, NULL_VALUE}, .key = bytes_of(der, size)};
    return signature_judge_key(&certificate, key);
}

Test(signature, rsa_keys_within_limits) {
    struct signature_key key;
    struct bytes f4 = SUPPORT_BYTES("\x01\x00\x01");
    cr_assert_eq(judge_rsa(256, 0x80, 1, f4, &key), REASON_OK);
    cr_assert(key.bits == 2048 && key.modulus.size == 256 && key.exponent.size == 3);
    cr_assert_eq(judge_rsa(256, 0x7f, 1, f4, &key), REASON_WEAK_KEY);
    cr_assert_eq(key.bits, 2047);
    cr_assert_eq(judge_rsa(257, 0x01, 1, f4, &key), REASON_OK);
    cr_assert_eq(key.bits, 2049);
    cr_assert_eq(judge_rsa(1024, 0x80, 1, f4, &key), REASON_OK);
    cr_assert_eq(key.bits, 8192);
    cr_assert_eq(judge_rsa(1025, 0x01, 1, f4, &key), REASON_TOO_LARGE);
    cr_assert_eq(judge_rsa(2048, 0x80, 1, f4, &key), REASON_TOO_LARGE);
    cr_assert_eq(judge_rsa(256, 0x80, 0, f4, &key), REASON_WEAK_KEY, "even modulus");
    cr_assert_eq(judge_rsa(256, 0x80, 1, SUPPORT_BYTES("\x03"), &key), REASON_OK);
    cr_assert_eq(judge_rsa(256, 0x80, 1, SUPPORT_BYTES("\x01"), &key), REASON_WEAK_KEY);
    cr_assert_eq(judge_rsa(256, 0x80, 1, SUPPORT_BYTES("\x00"), &key), REASON_WEAK_KEY);
    cr_assert_eq(judge_rsa(256, 0x80, 1, SUPPORT_BYTES("\x00\x80\x00\x00\x00\x00\x00\x00\x01"), &key), REASON_OK, "64 bits");
    cr_assert_eq(judge_rsa(256, 0x80, 1, SUPPORT_BYTES("\x01\x00\x00\x00\x00\x00\x00\x00\x01"), &key), REASON_WEAK_KEY,
                 "65 bits");
    cr_assert_eq(judge_rsa(256, 0x80, 1, SUPPORT_BYTES("\xff"), &key), REASON_MALFORMED, "negative");
}

Test(signature, digests) {
    uint8_t digest[32];
    signature_sha256(bytes_of_string("abc"), digest);
    cr_assert(bytes_equal(bytes_of(digest, 4), SUPPORT_BYTES("\xba\x78\x16\xbf")));
    signature_sha256(bytes_of(NULL, 0), digest);
    cr_assert(bytes_equal(bytes_of(digest, 4), SUPPORT_BYTES("\xe3\xb0\xc4\x42")));
    signature_sha1(bytes_of_string("abc"), digest);
    cr_assert(bytes_equal(bytes_of(digest, 4), SUPPORT_BYTES("\xa9\x99\x3e\x36")));
}

/* Checks one signature of P-256 twice. */
static void verify_twice(bool with_keys) {
    uint8_t private_key[32] = {[31] = 5};
    uint8_t point[LANES_EC_POINT_MAX];
    uint8_t digest[32];
    uint8_t r[LANES_EC_SIZE_MAX];
    uint8_t s[LANES_EC_SIZE_MAX];
    uint8_t der[80];
    word32 size = sizeof der;
    struct bytes data = bytes_of_string("abc");
    signature_sha256(data, digest);
    cr_assert(reference_ecdh_public(LANES_P256, private_key, point));
    cr_assert(reference_ecdsa_sign(LANES_P256, bytes_of(digest, sizeof digest), private_key, r, s));
    cr_assert_eq(wc_ecc_rs_raw_to_sig(r, 32, s, 32, der, &size), 0);
    struct signature_algorithm algorithm = {.kind = SIGNATURE_ECDSA, .hash = SIGNATURE_SHA256};
    struct signature_key key = {
        .algorithm = {.kind = SIGNATURE_ECDSA}, .curve = ECC_SECP256R1, .point = bytes_of(point, 65)};
    struct p256_keys *keys = with_keys ? p256_keys_create() : NULL;
    for (unsigned i = 0; i < 2; i++) {
        cr_assert(signature_verify(&key, &algorithm, data, bytes_of(der, size)));
        cr_assert_not(signature_verify(&key, &algorithm, bytes_of_string("abd"), bytes_of(der, size)));
        cr_assert_not(signature_verify(&key, &algorithm, data, bytes_of(der, size - 1)));
    }
    if (keys != NULL) {
        struct p256_keys_counts counts = p256_keys_count(keys);
        cr_assert(counts.noted == 1 && counts.made == 1 && counts.found == 2, "%d noted, %d made, %d found",
                  (int)counts.noted, (int)counts.made, (int)counts.found);
    }
    p256_keys_destroy(keys);
}

Test(signature, keys_of_p256_are_remembered_where_the_thread_has_a_table) {
    hash_init();
    verify_twice(false);
    verify_twice(true);
}
