/* wolfSSL's own headers need its options first. */
#include "x509/signature.h"

#include "base/check.h"
#include "crypto/batch.h"
#include "crypto/offload.h"
#include "crypto/p256_keys.h"
#include "x509/der.h"
#include "x509/oid.h"
#include "x509/sha256.h"

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/rsa.h>
#include <wolfssl/wolfcrypt/sha.h>
#include <wolfssl/wolfcrypt/sha512.h>
#include <wolfssl/wolfcrypt/wc_mldsa.h>

enum { DIGEST_INFO_MAX = 19 + SIGNATURE_DIGEST_MAX };

/* DigestInfo up to the digest (RFC 8017 section 9.2, notes 1), and wolfCrypt's names of the hash. */
static const struct {
    struct bytes oid;
    uint8_t prefix[19];
    uint8_t size;
    enum wc_HashType type;
    int mgf;
} hashes[] = {
    [SIGNATURE_SHA256] = {OID_SHA256,
                          {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
                           0x00, 0x04, 0x20},
                          32,
                          WC_HASH_TYPE_SHA256,
                          WC_MGF1SHA256},
    [SIGNATURE_SHA384] = {OID_SHA384,
                          {0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05,
                           0x00, 0x04, 0x30},
                          48,
                          WC_HASH_TYPE_SHA384,
                          WC_MGF1SHA384},
    [SIGNATURE_SHA512] = {OID_SHA512,
                          {0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05,
                           0x00, 0x04, 0x40},
                          64,
                          WC_HASH_TYPE_SHA512,
                          WC_MGF1SHA512},
};

/* FIPS 204, tables 1 and 2, and wolfCrypt's number of the parameter set. */
static const struct ml_dsa {
    struct bytes oid;
    enum signature_kind kind;
    size_t key_size;
    size_t signature_size;
    byte level;
} ml_dsas[] = {
    {OID_ML_DSA_44, SIGNATURE_ML_DSA_44, 1312, 2420, WC_ML_DSA_44},
    {OID_ML_DSA_65, SIGNATURE_ML_DSA_65, 1952, 3309, WC_ML_DSA_65},
    {OID_ML_DSA_87, SIGNATURE_ML_DSA_87, 2592, 4627, WC_ML_DSA_87},
};

/* Returns the parameter set of a kind; NULL for other kinds. */
static const struct ml_dsa *find_ml_dsa(enum signature_kind kind) {
    for (size_t i = 0; i < ARRAY_LENGTH(ml_dsas); i++) {
        if (ml_dsas[i].kind == kind) {
            return &ml_dsas[i];
        }
    }
    return NULL;
}

bool signature_is_ml_dsa(const struct signature_key *key) {
    return find_ml_dsa(key->algorithm.kind) != NULL;
}

static bool is_null_or_absent(struct bytes parameters) {
    struct bytes content;
    return parameters.size == 0 || (der_only(parameters, DER_NULL, &content) && content.size == 0);
}

static enum reason read_hash(const struct algorithm *algorithm, enum signature_hash *hash) {
    for (unsigned i = SIGNATURE_SHA256; i <= SIGNATURE_SHA512; i++) {
        if (bytes_equal(algorithm->oid, hashes[i].oid)) {
            *hash = (enum signature_hash)i;
            return is_null_or_absent(algorithm->parameters) ? REASON_OK : REASON_MALFORMED;
        }
    }
    return REASON_WEAK_SIGNATURE;
}

/* Reads the content of an EXPLICIT [number] AlgorithmIdentifier, if it is there. */
static bool read_tagged_algorithm(struct bytes *in, uint8_t number, struct algorithm *algorithm, bool *present) {
    struct bytes explicit;
    if (!der_read_optional(in, (uint8_t)(DER_CONTEXT_CONSTRUCTED | number), &explicit, present)) {
        return false;
    }
    return !*present || (algorithm_read(&explicit, algorithm) && explicit.size == 0);
}

static bool read_tagged_number(struct bytes *in, uint8_t number, uint32_t *value) {
    struct bytes explicit;
    bool present;
    if (!der_read_optional(in, (uint8_t)(DER_CONTEXT_CONSTRUCTED | number), &explicit, &present)) {
        return false;
    }
    return !present || (der_read_small(&explicit, value) && explicit.size == 0);
}

/* Reads RSASSA-PSS-params (RFC 4055 section 3.1). Their defaults are SHA-1, which is not accepted. */
static enum reason read_pss(struct bytes parameters, struct signature_algorithm *result) {
    uint32_t salt = 20;
    uint32_t trailer = 1;
    struct bytes content;
    struct algorithm hash;
    struct algorithm mask;
    bool has_hash;
    bool has_mask;
    if (!der_only(parameters, DER_SEQUENCE, &content) || !read_tagged_algorithm(&content, 0, &hash, &has_hash) ||
        !read_tagged_algorithm(&content, 1, &mask, &has_mask) || !read_tagged_number(&content, 2, &salt) ||
        !read_tagged_number(&content, 3, &trailer) || content.size > 0 || trailer != 1) {
        return REASON_MALFORMED;
    }
    if (!has_hash || !has_mask || !bytes_equal(mask.oid, OID_MGF1)) {
        return REASON_WEAK_SIGNATURE;
    }
    struct algorithm mask_hash;
    if (!algorithm_read(&mask.parameters, &mask_hash) || mask.parameters.size > 0) {
        return REASON_MALFORMED;
    }
    enum reason reason = read_hash(&hash, &result->hash);
    enum signature_hash of_mask;
    if (reason == REASON_OK) {
        reason = read_hash(&mask_hash, &of_mask);
    }
    if (reason != REASON_OK) {
        return reason;
    }
    result->salt_size = salt;
    /* RFC 4055 recommends one hash for both; no CA is known to do otherwise. */
    return of_mask == result->hash ? REASON_OK : REASON_WEAK_SIGNATURE;
}

enum reason signature_judge_algorithm(const struct algorithm *algorithm, struct signature_algorithm *result) {
    static const struct {
        struct bytes oid;
        struct signature_algorithm algorithm;
    } known[] = {
        {OID_VIEW("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"), {SIGNATURE_RSA, SIGNATURE_SHA256, 0}},
        {OID_VIEW("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"), {SIGNATURE_RSA, SIGNATURE_SHA384, 0}},
        {OID_VIEW("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"), {SIGNATURE_RSA, SIGNATURE_SHA512, 0}},
        {OID_VIEW("\x2a\x86\x48\xce\x3d\x04\x03\x02"), {SIGNATURE_ECDSA, SIGNATURE_SHA256, 0}},
        {OID_VIEW("\x2a\x86\x48\xce\x3d\x04\x03\x03"), {SIGNATURE_ECDSA, SIGNATURE_SHA384, 0}},
        {OID_VIEW("\x2a\x86\x48\xce\x3d\x04\x03\x04"), {SIGNATURE_ECDSA, SIGNATURE_SHA512, 0}},
        {OID_ED25519, {SIGNATURE_ED25519, SIGNATURE_HASH_NONE, 0}},
        {OID_ML_DSA_44, {SIGNATURE_ML_DSA_44, SIGNATURE_HASH_NONE, 0}},
        {OID_ML_DSA_65, {SIGNATURE_ML_DSA_65, SIGNATURE_HASH_NONE, 0}},
        {OID_ML_DSA_87, {SIGNATURE_ML_DSA_87, SIGNATURE_HASH_NONE, 0}},
    };
    if (bytes_equal(algorithm->oid, OID_RSA_PSS)) {
        *result = (struct signature_algorithm){SIGNATURE_RSA_PSS, SIGNATURE_HASH_NONE, 0};
        return read_pss(algorithm->parameters, result);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(known); i++) {
        if (bytes_equal(algorithm->oid, known[i].oid)) {
            *result = known[i].algorithm;
            /* RFC 4055 section 5: with RSA, NULL or nothing. RFC 5758, 8410, 9881: nothing. */
            bool fits =
                result->kind == SIGNATURE_RSA ? is_null_or_absent(algorithm->parameters) : algorithm->parameters.size == 0;
            return fits ? REASON_OK : REASON_MALFORMED;
        }
    }
    return REASON_WEAK_SIGNATURE;
}

static unsigned bit_count(struct bytes magnitude) {
    unsigned bits = (unsigned)magnitude.size * 8;
    for (unsigned mask = 0x80; mask > 0 && (magnitude.data[0] & mask) == 0; mask >>= 1) {
        bits--;
    }
    return bits;
}

/* Tells whether both numbers are odd, and the exponent above 1 and not too long. */
static bool is_sound_rsa(const struct signature_key *key) {
    const uint8_t *exponent = key->exponent.data;
    size_t last = key->exponent.size - 1;
    bool one = last == 0 && exponent[0] == 1;
    bool odd = (exponent[last] & key->modulus.data[key->modulus.size - 1] & 1) != 0;
    return odd && !one && bit_count(key->exponent) <= SIGNATURE_RSA_EXPONENT_BITS_MAX;
}

static enum reason judge_rsa_key(const struct certificate *certificate, struct signature_key *key) {
    struct bytes content;
    if (!der_only(certificate->key, DER_SEQUENCE, &content) || !der_read_unsigned(&content, &key->modulus) ||
        !der_read_unsigned(&content, &key->exponent) || content.size > 0) {
        return REASON_MALFORMED;
    }
    key->bits = bit_count(key->modulus);
    if (key->bits > SIGNATURE_RSA_BITS_MAX) {
        return REASON_TOO_LARGE;
    }
    return key->bits >= SIGNATURE_RSA_BITS_MIN && is_sound_rsa(key) ? REASON_OK : REASON_WEAK_KEY;
}

bool signature_key_can_verify(const struct signature_key *key, enum reason reason) {
    bool short_rsa = reason == REASON_WEAK_KEY && key->bits >= SIGNATURE_RSA_BITS_VERIFIED_MIN &&
                     key->bits < SIGNATURE_RSA_BITS_MIN && is_sound_rsa(key);
    return reason == REASON_OK || short_rsa;
}

static enum reason judge_ec_key(const struct certificate *certificate, struct signature_key *key) {
    static const struct {
        struct bytes oid;
        int curve;
        size_t point_size;
    } curves[] = {
        {OID_SECP256R1, ECC_SECP256R1, 65},
        {OID_SECP384R1, ECC_SECP384R1, 97},
        {OID_SECP521R1, ECC_SECP521R1, 133},
    };
    struct bytes oid;
    if (!der_only(certificate->key_algorithm.parameters, DER_OID, &oid)) {
        return REASON_WEAK_KEY; /* a curve spelled out, which may be anything */
    }
    for (size_t i = 0; i < ARRAY_LENGTH(curves); i++) {
        if (bytes_equal(oid, curves[i].oid)) {
            key->curve = curves[i].curve;
            key->point = certificate->key;
            size_t size = key->point.size;
            uint8_t form = size > 0 ? key->point.data[0] : 0;
            if ((form == 2 || form == 3) && size == curves[i].point_size / 2 + 1) {
                return REASON_WEAK_KEY; /* compressed, which RFC 5480 section 2.2 leaves to us */
            }
            return form == 4 && size == curves[i].point_size ? REASON_OK : REASON_MALFORMED;
        }
    }
    return REASON_WEAK_KEY;
}

/* RFC 9881 sections 2 and 4: no parameters, and the key's octets themselves. Any octets are a key. */
static enum reason judge_ml_dsa_key(const struct certificate *certificate, struct signature_key *key) {
    for (size_t i = 0; i < ARRAY_LENGTH(ml_dsas); i++) {
        if (bytes_equal(certificate->key_algorithm.oid, ml_dsas[i].oid)) {
            key->algorithm.kind = ml_dsas[i].kind;
            key->point = certificate->key;
            bool fits = certificate->key_algorithm.parameters.size == 0 && key->point.size == ml_dsas[i].key_size;
            return fits ? REASON_OK : REASON_MALFORMED;
        }
    }
    return REASON_WEAK_KEY;
}

enum reason signature_judge_key(const struct certificate *certificate, struct signature_key *key) {
    const struct algorithm *algorithm = &certificate->key_algorithm;
    *key = (struct signature_key){.algorithm = {SIGNATURE_RSA, SIGNATURE_HASH_NONE, 0}};
    if (bytes_equal(algorithm->oid, OID_RSA)) {
        return is_null_or_absent(algorithm->parameters) ? judge_rsa_key(certificate, key) : REASON_MALFORMED;
    }
    if (bytes_equal(algorithm->oid, OID_RSA_PSS)) {
        key->algorithm.kind = SIGNATURE_RSA_PSS;
        enum reason reason = algorithm->parameters.size == 0 ? REASON_OK : read_pss(algorithm->parameters, &key->algorithm);
        if (reason != REASON_OK) {
            return reason == REASON_MALFORMED ? reason : REASON_WEAK_KEY;
        }
        return judge_rsa_key(certificate, key);
    }
    if (bytes_equal(algorithm->oid, OID_EC_PUBLIC_KEY)) {
        key->algorithm.kind = SIGNATURE_ECDSA;
        return judge_ec_key(certificate, key);
    }
    if (bytes_equal(algorithm->oid, OID_ED25519)) {
        key->algorithm.kind = SIGNATURE_ED25519;
        key->point = certificate->key;
        return algorithm->parameters.size == 0 && key->point.size == ED25519_PUB_KEY_SIZE ? REASON_OK : REASON_MALFORMED;
    }
    return judge_ml_dsa_key(certificate, key);
}

void signature_sha1(struct bytes data, uint8_t digest[static SIGNATURE_SHA1_SIZE]) {
    CHECK(wc_ShaHash(data.data, (word32)data.size, digest) == 0);
}

void signature_sha256(struct bytes data, uint8_t digest[static SIGNATURE_SHA256_SIZE]) {
    struct sha256 hash;
    sha256_begin(&hash);
    sha256_add(&hash, data.data, data.size);
    sha256_end(&hash, digest);
}

size_t signature_digest_size(const struct signature_algorithm *algorithm) {
    return algorithm->hash == SIGNATURE_HASH_NONE ? 0 : hashes[algorithm->hash].size;
}

size_t signature_digest(const struct signature_algorithm *algorithm, struct bytes data,
                        uint8_t digest[static SIGNATURE_DIGEST_MAX]) {
    size_t size = signature_digest_size(algorithm);
    if (size == 0) {
        return 0;
    }
    CHECK(wc_Hash(hashes[algorithm->hash].type, data.data, (word32)data.size, digest, (word32)size) == 0);
    return size;
}

static bool verify_pkcs1(RsaKey *key, enum signature_hash hash, struct bytes digest, struct bytes signature) {
    /* The whole block is rebuilt and compared, and none of it is parsed, so that nothing can hide in it. */
    uint8_t expected[DIGEST_INFO_MAX];
    size_t prefix_size = sizeof hashes[hash].prefix;
    memcpy(expected, hashes[hash].prefix, prefix_size);
    memcpy(expected + prefix_size, digest.data, digest.size);
    size_t size = prefix_size + digest.size;
    uint8_t found[SIGNATURE_RSA_BITS_MAX / 8];
    int found_size = wc_RsaSSL_Verify(signature.data, (word32)signature.size, found, sizeof found, key);
    return found_size >= 0 && (size_t)found_size == size && memcmp(found, expected, size) == 0;
}

static bool verify_pss(RsaKey *key, const struct signature_algorithm *algorithm, struct bytes digest,
                       struct bytes signature) {
    enum wc_HashType type = hashes[algorithm->hash].type;
    if (algorithm->salt_size > SIGNATURE_RSA_BITS_MAX / 8) {
        return false;
    }
    int salt = (int)algorithm->salt_size;
    uint8_t found[SIGNATURE_RSA_BITS_MAX / 8];
    int found_size = wc_RsaPSS_Verify_ex(signature.data, (word32)signature.size, found, sizeof found, type,
                                         hashes[algorithm->hash].mgf, salt, key);
    return found_size > 0 &&
           wc_RsaPSS_CheckPadding_ex(digest.data, (word32)digest.size, found, (word32)found_size, type, salt, 0) == 0;
}

static bool verify_rsa(const struct signature_key *from, const struct signature_algorithm *algorithm, struct bytes digest,
                       struct bytes signature) {
    if (signature.size != from->modulus.size) {
        return false;
    }
    RsaKey key;
    /* The device has the number raised in company, if there is any. */
    if (wc_InitRsaKey_ex(&key, NULL, OFFLOAD_DEVICE) != 0) {
        return false;
    }
    bool good = wc_RsaPublicKeyDecodeRaw(from->modulus.data, (word32)from->modulus.size, from->exponent.data,
                                         (word32)from->exponent.size, &key) == 0;
    if (good && algorithm->kind == SIGNATURE_RSA) {
        good = verify_pkcs1(&key, algorithm->hash, digest, signature);
    } else if (good) {
        good = verify_pss(&key, algorithm, digest, signature);
    }
    wc_FreeRsaKey(&key);
    return good;
}

/* Reads an Ecdsa-Sig-Value in DER with nothing behind it: wolfCrypt's own reader need not be that strict. */
static bool read_ecdsa_value(struct bytes signature, struct bytes *r, struct bytes *s) {
    struct bytes content;
    return der_only(signature, DER_SEQUENCE, &content) && der_read_unsigned(&content, r) && der_read_unsigned(&content, s) &&
           content.size == 0;
}

static bool verify_ecdsa(const struct signature_key *from, struct bytes digest, struct bytes signature) {
    struct bytes r;
    struct bytes s;
    if (!read_ecdsa_value(signature, &r, &s)) {
        return false;
    }
    struct lanes_ecdsa_verify job = {.digest = digest, .point = from->point, .r = r, .s = s};
    if (batch_compute(offload_curve_kind(LANES_OPERATION_ECDSA_VERIFY, from->curve), &job)) {
        return job.good;
    }
    if (from->curve == ECC_SECP256R1 && p256_keys_verify(&job)) {
        return job.good;
    }
    ecc_key key;
    if (wc_ecc_init(&key) != 0) {
        return false;
    }
    int verified = 0;
    /* The last argument: not trusted, so that a point off the curve is refused. */
    bool good =
        wc_ecc_import_x963_ex2(from->point.data, (word32)from->point.size, &key, from->curve, 1) == 0 &&
        wc_ecc_verify_hash(signature.data, (word32)signature.size, digest.data, (word32)digest.size, &verified, &key) == 0 &&
        verified == 1;
    wc_ecc_free(&key);
    return good;
}

static bool verify_ed25519(const struct signature_key *from, struct bytes data, struct bytes signature) {
    if (signature.size != ED25519_SIG_SIZE) {
        return false;
    }
    struct lanes_ed25519_verify job = {.public_key = from->point.data, .signature = signature.data, .message = data};
    if (batch_compute(LANES_ED25519_VERIFY, &job)) {
        return job.good;
    }
    ed25519_key key;
    if (wc_ed25519_init(&key) != 0) {
        return false;
    }
    int verified = 0;
    bool good =
        wc_ed25519_import_public(from->point.data, (word32)from->point.size, &key) == 0 &&
        wc_ed25519_verify_msg(signature.data, (word32)signature.size, data.data, (word32)data.size, &verified, &key) == 0 &&
        verified == 1;
    wc_ed25519_free(&key);
    return good;
}

static bool verify_ml_dsa(const struct signature_key *from, struct bytes data, struct bytes signature) {
    const struct ml_dsa *parameters = find_ml_dsa(from->algorithm.kind);
    wc_MlDsaKey key;
    if (signature.size != parameters->signature_size || wc_MlDsaKey_Init(&key, NULL, INVALID_DEVID) != 0) {
        return false;
    }
    int verified = 0;
    bool good = wc_MlDsaKey_SetParams(&key, parameters->level) == 0 &&
                wc_MlDsaKey_ImportPubRaw(&key, from->point.data, (word32)from->point.size) == 0 &&
                wc_MlDsaKey_VerifyCtx(&key, signature.data, (word32)signature.size, NULL, 0, data.data, (word32)data.size,
                                      &verified) == 0 &&
                verified == 1;
    wc_MlDsaKey_Free(&key);
    return good;
}

static bool key_fits(const struct signature_key *key, const struct signature_algorithm *algorithm) {
    const struct signature_algorithm *of_key = &key->algorithm;
    if (algorithm->kind == SIGNATURE_RSA_PSS) {
        if (of_key->kind == SIGNATURE_RSA_PSS && of_key->hash != SIGNATURE_HASH_NONE &&
            (of_key->hash != algorithm->hash || algorithm->salt_size < of_key->salt_size)) {
            return false;
        }
        return of_key->kind == SIGNATURE_RSA || of_key->kind == SIGNATURE_RSA_PSS;
    }
    return of_key->kind == algorithm->kind;
}

bool signature_verify_digest(const struct signature_key *key, const struct signature_algorithm *algorithm,
                             struct bytes digest, struct bytes signature) {
    CHECK(digest.size == hashes[algorithm->hash].size);
    if (!key_fits(key, algorithm)) {
        return false;
    }
    switch (algorithm->kind) {
    case SIGNATURE_RSA:
    case SIGNATURE_RSA_PSS:
        return verify_rsa(key, algorithm, digest, signature);
    case SIGNATURE_ECDSA:
        return verify_ecdsa(key, digest, signature);
    default:
        return false;
    }
}

bool signature_verify(const struct signature_key *key, const struct signature_algorithm *algorithm, struct bytes data,
                      struct bytes signature) {
    if (!key_fits(key, algorithm)) {
        return false;
    }
    if (algorithm->kind == SIGNATURE_ED25519) {
        return verify_ed25519(key, data, signature);
    }
    if (signature_is_ml_dsa(key)) {
        return verify_ml_dsa(key, data, signature);
    }
    uint8_t digest[SIGNATURE_DIGEST_MAX];
    size_t size = signature_digest(algorithm, data, digest);
    return signature_verify_digest(key, algorithm, bytes_of(digest, size), signature);
}
