#include "crypto/lanes_curve.h"
#include "crypto/p256.h"
#include "ecdsa_cases.h"
#include "reference.h"
#include "vectors.h"
#include "x509/der.h"
#include "x509/signature.h"

/* Skips the rest of a test where there are no functions of BoringSSL for this processor. */
#define NEED_P256()                                                                                                         \
    do {                                                                                                                    \
        if (!p256_supported()) {                                                                                            \
            cr_skip_test("this processor has no BMI2 or no ADX");                                                           \
        }                                                                                                                   \
    } while (0)

/* With multiples of the key and without. */
static bool verify(struct bytes point, struct bytes digest, struct bytes r, struct bytes s) {
    struct p256_affine key;
    struct p256_multiples multiples;
    if (!p256_read_key(&key, point)) {
        return false;
    }
    p256_make_multiples(&multiples, &key);
    bool good = p256_verify(&multiples, digest, r, s);
    cr_assert_eq(p256_verify_once(&key, digest, r, s), good);
    return good;
}

static void check_file(const char *name, enum signature_hash hash) {
    NEED_P256();
    struct vectors *vectors = vectors_read(name);
    struct signature_algorithm algorithm = {.kind = SIGNATURE_ECDSA, .hash = hash};
    size_t good_count = 0;
    for (size_t i = 0; i < vectors->count; i++) {
        struct vector *vector = &vectors->all[i];
        struct bytes content;
        struct bytes r;
        struct bytes s;
        uint8_t digest[SIGNATURE_DIGEST_MAX];
        size_t size = signature_digest(&algorithm, vector->fields[2], digest);
        bool is_der = der_only(vector->fields[3], DER_SEQUENCE, &content) && der_read_unsigned(&content, &r) &&
                      der_read_unsigned(&content, &s) && content.size == 0;
        bool good = is_der && verify(vector->fields[0], bytes_of(digest, size), r, s);
        cr_assert_eq(good, vector->result == VECTORS_VALID, "%u", vector->number);
        good_count += good;
    }
    cr_assert_gt(good_count, 150);
    vectors_free(vectors);
}

Test(p256, signatures_of_wycheproof_sha256) {
    check_file("ecdsa_secp256r1_sha256_test", SIGNATURE_SHA256);
}

Test(p256, signatures_of_wycheproof_sha512) {
    check_file("ecdsa_secp256r1_sha512_test", SIGNATURE_SHA512);
}

Test(p256, edges) {
    NEED_P256();
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(ecdsa_cases); i++) {
        const struct ecdsa_case *edge = &ecdsa_cases[i];
        if (edge->curve != LANES_P256) {
            continue;
        }
        struct vector vector = {.fields = {vectors_read_hex(edge->point), vectors_read_hex(edge->digest),
                                           vectors_read_hex(edge->r), vectors_read_hex(edge->s)}};
        bool good = verify(vector.fields[0], vector.fields[1], vector.fields[2], vector.fields[3]);
        cr_assert_eq(good, edge->good, "%s", edge->purpose);
        vectors_free_fields(&vector);
        count++;
    }
    cr_assert_gt(count, 15);
}

/* A key, a digest, and a signature of it. */
struct sample {
    uint8_t point[LANES_EC_POINT_MAX];
    uint8_t digest[SIGNATURE_DIGEST_MAX];
    uint8_t r[LANES_EC_SIZE_MAX];
    uint8_t s[LANES_EC_SIZE_MAX];
};

enum { SIZE = 32, POINT_SIZE = 65, DIGEST_MIN = 20 /* of those that wolfCrypt signs */ };

static struct sample make_sample(size_t digest_size) {
    struct sample sample = {.digest = {0}};
    uint8_t private_key[SIZE] = {0};
    for (size_t i = 1; i < SIZE; i++) {
        private_key[i] = (uint8_t)vectors_random(256);
    }
    for (size_t i = 0; i < digest_size; i++) {
        sample.digest[i] = (uint8_t)(1 + vectors_random(255));
    }
    cr_assert(reference_ecdh_public(LANES_P256, private_key, sample.point));
    cr_assert(reference_ecdsa_sign(LANES_P256, bytes_of(sample.digest, digest_size), private_key, sample.r, sample.s));
    return sample;
}

Test(p256, agrees_with_wolfcrypt_on_whole_and_spoiled_signatures) {
    NEED_P256();
    for (unsigned round = 0; round < 200; round++) {
        size_t size = DIGEST_MIN + round % (SIGNATURE_DIGEST_MAX - DIGEST_MIN + 1);
        struct sample sample = make_sample(size);
        struct bytes point = bytes_of(sample.point, POINT_SIZE);
        struct bytes digest = bytes_of(sample.digest, size);
        struct bytes r = bytes_of(sample.r, SIZE);
        struct bytes s = bytes_of(sample.s, SIZE);
        cr_assert(verify(point, digest, r, s), "%u", round);
        uint8_t *spoiled[] = {sample.r, sample.s, sample.digest};
        uint8_t *number = spoiled[round % ARRAY_LENGTH(spoiled)];
        /* Of a long digest only the leftmost octets count. */
        size_t octets = number == sample.digest && size < SIZE ? size : SIZE;
        number[vectors_random((uint32_t)octets)] ^= (uint8_t)(1 << vectors_random(8));
        cr_assert_not(verify(point, digest, r, s), "%u", round);
    }
}

Test(p256, takes_no_other_key) {
    NEED_P256();
    struct sample sample = make_sample(SIZE);
    struct p256_affine key;
    for (size_t i = 0; i < POINT_SIZE; i++) {
        uint8_t point[POINT_SIZE + 1];
        memcpy(point, sample.point, POINT_SIZE);
        cr_assert_not(p256_read_key(&key, bytes_of(point, i)), "cut to %zu", i);
        point[i] ^= 1;
        cr_assert_not(p256_read_key(&key, bytes_of(point, POINT_SIZE)), "changed at %zu", i);
    }
    uint8_t longer[POINT_SIZE + 1] = {0};
    memcpy(longer, sample.point, POINT_SIZE);
    cr_assert_not(p256_read_key(&key, bytes_of(longer, sizeof longer)));
    /* Another point of the curve is a key, but not that of the signature: the same x, and y negated. */
    const struct lanes_curve_numbers *numbers = lanes_curve_numbers(LANES_P256);
    lanes_word y[P256_WORDS];
    lanes_word negated[P256_WORDS];
    lanes_number_read(y, P256_WORDS, bytes_of(sample.point + 1 + SIZE, SIZE));
    memcpy(negated, numbers->prime, sizeof negated);
    lanes_number_reduce_once(negated, y, P256_WORDS);
    lanes_number_write(sample.point + 1 + SIZE, negated, P256_WORDS);
    cr_assert(p256_read_key(&key, bytes_of(sample.point, POINT_SIZE)));
    cr_assert_not(verify(bytes_of(sample.point, POINT_SIZE), bytes_of(sample.digest, SIZE), bytes_of(sample.r, SIZE),
                         bytes_of(sample.s, SIZE)));
}
