#include "ecdsa_cases.h"
#include "reference.h"
#include "vectors.h"
#include "x509/der.h"
#include "x509/signature.h"

#include <wolfssl/wolfcrypt/hash.h>

static enum lanes_curve curve; /* of the test that runs */

static enum signature_hash hash_of(const struct vector *vector) {
    unsigned bits = (unsigned)vector->fields[1].data[0] << 8 | vector->fields[1].data[1];
    return bits == 256 ? SIGNATURE_SHA256 : bits == 384 ? SIGNATURE_SHA384 : SIGNATURE_SHA512;
}

static struct signature_algorithm algorithm_of(const struct vector *vector) {
    return (struct signature_algorithm){.kind = SIGNATURE_ECDSA, .hash = hash_of(vector)};
}

/* Empty r and s where the signature is no DER. */
static void read_signature(struct bytes signature, struct bytes *r, struct bytes *s) {
    struct bytes content;
    if (!der_only(signature, DER_SEQUENCE, &content) || !der_read_unsigned(&content, r) || !der_read_unsigned(&content, s) ||
        content.size > 0) {
        *r = *s = bytes_of(NULL, 0);
    }
}

static void verify(struct vector *const group[], size_t count) {
    uint8_t digests[LANES_MAX][SIGNATURE_DIGEST_MAX];
    struct lanes_ecdsa_verify jobs[LANES_MAX];
    struct lanes_ecdsa_verify *pointers[LANES_MAX] = {NULL};
    for (size_t i = 0; i < count; i++) {
        struct signature_algorithm algorithm = algorithm_of(group[i]);
        size_t size = signature_digest(&algorithm, group[i]->fields[2], digests[i]);
        jobs[i] = (struct lanes_ecdsa_verify){.digest = bytes_of(digests[i], size), .point = group[i]->fields[0]};
        read_signature(group[i]->fields[3], &jobs[i].r, &jobs[i].s);
        pointers[i] = &jobs[i];
    }
    lanes_ecdsa_verify(curve, pointers, count);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(jobs[i].good, group[i]->good, "%u", group[i]->number);
    }
}

static struct vectors *read_checked(const char *name, enum lanes_curve of) {
    struct vectors *vectors = vectors_read(name);
    size_t good_count = 0;
    curve = of;
    for (size_t i = 0; i < vectors->count; i++) {
        struct vector *vector = &vectors->all[i];
        struct signature_algorithm algorithm = algorithm_of(vector);
        struct signature_key key = {
            .algorithm = {.kind = SIGNATURE_ECDSA}, .curve = reference_ec_id(of), .point = vector->fields[0]};
        vectors_note(vector, signature_verify(&key, &algorithm, vector->fields[2], vector->fields[3]));
        good_count += vector->good;
    }
    cr_assert_gt(good_count, 150);
    return vectors;
}

static void check_file(const char *name, enum lanes_curve of) {
    VECTORS_NEED_LANES();
    struct vectors *vectors = read_checked(name, of);
    vectors_in_groups(vectors, verify);
    vectors_free(vectors);
}

Test(lanes_ecdsa, wolfcrypt_agrees_with_wycheproof) {
    vectors_free(read_checked("ecdsa_secp256r1_sha256_test", LANES_P256));
    vectors_free(read_checked("ecdsa_secp256r1_sha512_test", LANES_P256));
    vectors_free(read_checked("ecdsa_secp384r1_sha256_test", LANES_P384));
    vectors_free(read_checked("ecdsa_secp384r1_sha384_test", LANES_P384));
}

Test(lanes_ecdsa, signatures_of_wycheproof_p256_sha256) {
    check_file("ecdsa_secp256r1_sha256_test", LANES_P256);
}

Test(lanes_ecdsa, signatures_of_wycheproof_p256_sha512) {
    check_file("ecdsa_secp256r1_sha512_test", LANES_P256);
}

Test(lanes_ecdsa, signatures_of_wycheproof_p384_sha256) {
    check_file("ecdsa_secp384r1_sha256_test", LANES_P384);
}

Test(lanes_ecdsa, signatures_of_wycheproof_p384_sha384) {
    check_file("ecdsa_secp384r1_sha384_test", LANES_P384);
}

enum { CASES = ARRAY_LENGTH(ecdsa_cases) };

static struct lanes_ecdsa_verify edges[CASES];

static void read_edges(void) {
    for (size_t i = 0; i < CASES; i++) {
        edges[i].point = vectors_read_hex(ecdsa_cases[i].point);
        edges[i].digest = vectors_read_hex(ecdsa_cases[i].digest);
        edges[i].r = vectors_read_hex(ecdsa_cases[i].r);
        edges[i].s = vectors_read_hex(ecdsa_cases[i].s);
    }
}

static void free_edges(void) {
    for (size_t i = 0; i < CASES; i++) {
        free((void *)(uintptr_t)edges[i].point.data);
        free((void *)(uintptr_t)edges[i].digest.data);
        free((void *)(uintptr_t)edges[i].r.data);
        free((void *)(uintptr_t)edges[i].s.data);
    }
}

Test(lanes_ecdsa, wolfcrypt_at_the_edges, .init = read_edges, .fini = free_edges) {
    for (size_t i = 0; i < CASES; i++) {
        bool good = reference_ecdsa_verify(ecdsa_cases[i].curve, edges[i].digest, edges[i].point, edges[i].r, edges[i].s);
        cr_assert_eq(good, ecdsa_cases[i].good, "%s", ecdsa_cases[i].purpose);
    }
}

Test(lanes_ecdsa, edges, .init = read_edges, .fini = free_edges) {
    VECTORS_NEED_LANES();
    for (size_t round = 0; round < 100; round++) {
        struct lanes_ecdsa_verify *jobs[LANES_MAX] = {NULL};
        size_t count = 1 + round % LANES_MAX;
        enum lanes_curve of = round % 2 == 0 ? LANES_P256 : LANES_P384;
        size_t chosen[LANES_MAX];
        struct lanes_ecdsa_verify copies[LANES_MAX];
        for (size_t i = 0; i < count; i++) {
            do {
                chosen[i] = vectors_random(CASES);
            } while (ecdsa_cases[chosen[i]].curve != of);
            copies[i] = edges[chosen[i]];
            jobs[i] = &copies[i];
        }
        lanes_ecdsa_verify(of, jobs, count);
        for (size_t i = 0; i < count; i++) {
            cr_assert_eq(copies[i].good, ecdsa_cases[chosen[i]].good, "%s", ecdsa_cases[chosen[i]].purpose);
        }
    }
}

/* RFC 6979 appendices A.2.5 and A.2.6, the message "sample": private key, nonce, digest, and the signature. */
static const struct {
    enum lanes_curve curve;
    const char *key;
    const char *nonce;
    const char *digest;
    const char *signature;
} known[] = {
    {LANES_P256, "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
     "a6e3c57dd01abe90086538398355dd4c3b17aa873382b0f24d6129493d8aad60",
     "af2bdbe1aa9b6ec1e2ade1d694f41fc71a831d0268e9891562113d8a62add1bf",
     "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
     "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"},
    {LANES_P384, "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5",
     "94ed910d1a099dad3254e9242ae85abde4ba15168eaf0ca87a555fd56d10fbca2907e3e83ba95368623b8c4686915cf9",
     "9a9083505bc92276aec4be312696ef7bf3bf603f4bbd381196a029f340585312313bca4a9b5b890efee42c77b1ee25fe",
     "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46"
     "99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8"},
};

/* A signature to be made, in both of its steps. */
struct signing {
    struct lanes_ecdsa_prepare first;
    struct lanes_ecdsa_finish rest;
};

static void sign(enum lanes_curve of, struct signing *all, size_t count) {
    struct lanes_ecdsa_prepare *pointers[LANES_MAX] = {NULL};
    for (size_t i = 0; i < count; i++) {
        pointers[i] = &all[i].first;
        all[i].rest.prepared = &all[i].first.prepared;
    }
    lanes_ecdsa_prepare(of, pointers, count);
    for (size_t i = 0; i < count; i++) {
        lanes_ecdsa_finish(of, &all[i].rest);
    }
}

Test(lanes_ecdsa, known_signatures) {
    VECTORS_NEED_LANES();
    for (size_t i = 0; i < ARRAY_LENGTH(known); i++) {
        struct bytes key = vectors_read_hex(known[i].key);
        struct bytes nonce = vectors_read_hex(known[i].nonce);
        struct bytes digest = vectors_read_hex(known[i].digest);
        struct bytes expected = vectors_read_hex(known[i].signature);
        struct signing signing = {.first = {.nonce = nonce.data}, .rest = {.digest = digest, .private_key = key.data}};
        sign(known[i].curve, &signing, 1);
        cr_assert(signing.first.good && signing.rest.good, "%zu", i);
        cr_assert_arr_eq(signing.rest.signature, expected.data, expected.size, "%zu", i);
        free((void *)(uintptr_t)key.data);
        free((void *)(uintptr_t)nonce.data);
        free((void *)(uintptr_t)digest.data);
        free((void *)(uintptr_t)expected.data);
    }
}

enum { DIGEST_MIN = 20, DIGEST_MAX = 64 }; /* wolfCrypt takes nothing else for a digest */

/* Signs in a group where each job may have a key, a nonce or a digest that cannot be; wolfCrypt checks those that sign. */
static void sign_group(enum lanes_curve of, size_t count) {
    struct signing jobs[LANES_MAX];
    uint8_t keys[LANES_MAX][LANES_EC_SIZE_MAX];
    uint8_t nonces[LANES_MAX][LANES_EC_SIZE_MAX];
    uint8_t digests[LANES_MAX][DIGEST_MAX];
    bool expected[LANES_MAX];
    size_t size = reference_ec_size(of);
    for (size_t i = 0; i < count; i++) {
        CHECK(wc_RNG_GenerateBlock(reference_rng(), keys[i], sizeof keys[i]) == 0);
        CHECK(wc_RNG_GenerateBlock(reference_rng(), nonces[i], sizeof nonces[i]) == 0);
        CHECK(wc_RNG_GenerateBlock(reference_rng(), digests[i], sizeof digests[i]) == 0);
        keys[i][0] = nonces[i][0] = 0x7f; /* below the order */
        size_t digest_size = DIGEST_MIN + vectors_random(DIGEST_MAX - DIGEST_MIN + 1);
        unsigned fault = vectors_random(10);
        if (fault == 0) {
            memset(keys[i], 0, size);
        } else if (fault == 1) {
            memset(nonces[i], 0, size);
        } else if (fault == 2) {
            memset(keys[i], 0xff, size);
        } else if (fault == 3) {
            memset(nonces[i], 0xff, size);
        } else if (fault == 4) {
            digest_size = 0;
        } else if (fault == 5) {
            memset(digests[i], 0, sizeof digests[i]);
        } else if (fault == 6) {
            memset(digests[i], 0xff, sizeof digests[i]);
        }
        expected[i] = fault > 5;
        jobs[i] = (struct signing){.first = {.nonce = nonces[i]},
                                   .rest = {.digest = bytes_of(digests[i], digest_size), .private_key = keys[i]}};
    }
    sign(of, jobs, count);
    for (size_t i = 0; i < count; i++) {
        static const uint8_t zeros[2 * LANES_EC_SIZE_MAX];
        uint8_t point[LANES_EC_POINT_MAX];
        cr_assert_eq(jobs[i].rest.good, expected[i]);
        if (!expected[i]) {
            cr_assert_arr_eq(jobs[i].rest.signature, zeros, sizeof zeros);
            continue;
        }
        cr_assert(reference_ecdh_public(of, keys[i], point));
        cr_assert(reference_ecdsa_verify(of, jobs[i].rest.digest, bytes_of(point, 1 + 2 * size),
                                         bytes_of(jobs[i].rest.signature, size),
                                         bytes_of(jobs[i].rest.signature + size, size)));
    }
}

Test(lanes_ecdsa, signatures_for_wolfcrypt) {
    VECTORS_NEED_LANES();
    for (size_t round = 0; round < 100; round++) {
        sign_group(LANES_P256, 1 + round % LANES_MAX);
        sign_group(LANES_P384, 1 + round % LANES_MAX);
    }
}

/* wolfCrypt signs, and lanes check; then the same with one bit changed somewhere. */
static void verify_group(enum lanes_curve of, size_t count) {
    struct lanes_ecdsa_verify jobs[LANES_MAX];
    struct lanes_ecdsa_verify *pointers[LANES_MAX] = {NULL};
    uint8_t keys[LANES_MAX][LANES_EC_SIZE_MAX];
    uint8_t digests[LANES_MAX][DIGEST_MAX];
    uint8_t points[LANES_MAX][LANES_EC_POINT_MAX];
    uint8_t rs[LANES_MAX][LANES_EC_SIZE_MAX];
    uint8_t ss[LANES_MAX][LANES_EC_SIZE_MAX];
    bool expected[LANES_MAX];
    size_t size = reference_ec_size(of);
    for (size_t i = 0; i < count; i++) {
        CHECK(wc_RNG_GenerateBlock(reference_rng(), keys[i], sizeof keys[i]) == 0);
        CHECK(wc_RNG_GenerateBlock(reference_rng(), digests[i], sizeof digests[i]) == 0);
        keys[i][0] = 0x7f;
        struct bytes digest = bytes_of(digests[i], DIGEST_MIN + vectors_random(DIGEST_MAX - DIGEST_MIN + 1));
        cr_assert(reference_ecdh_public(of, keys[i], points[i]));
        cr_assert(reference_ecdsa_sign(of, digest, keys[i], rs[i], ss[i]));
        uint8_t *where[] = {digests[i], points[i] + 1, rs[i], ss[i]};
        unsigned fault = vectors_random(8);
        if (fault < 4) {
            where[fault][vectors_random(16)] ^= (uint8_t)(1 << vectors_random(8));
        }
        expected[i] = fault >= 4;
        jobs[i] = (struct lanes_ecdsa_verify){.digest = digest,
                                              .point = bytes_of(points[i], 1 + 2 * size),
                                              .r = bytes_of(rs[i], size),
                                              .s = bytes_of(ss[i], size)};
        pointers[i] = &jobs[i];
    }
    lanes_ecdsa_verify(of, pointers, count);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(jobs[i].good, expected[i]);
    }
}

Test(lanes_ecdsa, signatures_of_wolfcrypt) {
    VECTORS_NEED_LANES();
    for (size_t round = 0; round < 100; round++) {
        verify_group(LANES_P256, 1 + round % LANES_MAX);
        verify_group(LANES_P384, 1 + round % LANES_MAX);
    }
}
