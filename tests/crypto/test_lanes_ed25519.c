#include "reference.h"
#include "vectors.h"

enum { SIGNATURE_SIZE = 64, MESSAGE_MAX = 300 };

static struct bytes key_of(const struct vector *vector) {
    return vector->fields[0];
}

static struct bytes signature_of(const struct vector *vector) {
    return vector->fields[2];
}

static void verify(struct vector *const group[], size_t count) {
    struct lanes_ed25519_verify jobs[LANES_MAX];
    struct lanes_ed25519_verify *pointers[LANES_MAX] = {NULL};
    for (size_t i = 0; i < count; i++) {
        jobs[i] = (struct lanes_ed25519_verify){
            .public_key = key_of(group[i]).data, .signature = signature_of(group[i]).data, .message = group[i]->fields[1]};
        pointers[i] = &jobs[i];
    }
    lanes_ed25519_verify(pointers, count);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(jobs[i].good, group[i]->good, "%u", group[i]->number);
    }
}

static bool has_size(const struct vector *vector) {
    return signature_of(vector).size == SIGNATURE_SIZE;
}

static struct vectors *read_checked(void) {
    struct vectors *vectors = vectors_read("ed25519_test");
    cr_assert_gt(vectors->count, 140);
    for (size_t i = 0; i < vectors->count; i++) {
        struct vector *vector = &vectors->all[i];
        vectors_note(vector, has_size(vector) && reference_ed25519_verify(key_of(vector).data, vector->fields[1],
                                                                          signature_of(vector).data));
    }
    vectors_keep(vectors, has_size);
    cr_assert_gt(vectors->count, 120);
    return vectors;
}

Test(lanes_ed25519, wolfcrypt_agrees_with_wycheproof) {
    vectors_free(read_checked());
}

Test(lanes_ed25519, signatures_of_wycheproof) {
    VECTORS_NEED_LANES();
    struct vectors *vectors = read_checked();
    vectors_in_groups(vectors, verify);
    vectors_free(vectors);
}

static void make_random(void *bytes, size_t size) {
    CHECK(wc_RNG_GenerateBlock(reference_rng(), bytes, (word32)size) == 0);
}

/* Signs by lanes and by wolfCrypt, which make the same signature; both check it, and with one bit changed refuse it. */
static void sign_group(size_t count) {
    struct lanes_ed25519_sign jobs[LANES_MAX];
    struct lanes_ed25519_sign *pointers[LANES_MAX] = {NULL};
    struct lanes_ed25519_verify checks[LANES_MAX];
    struct lanes_ed25519_verify *check_pointers[LANES_MAX] = {NULL};
    uint8_t seeds[LANES_MAX][32];
    uint8_t keys[LANES_MAX][32];
    uint8_t messages[LANES_MAX][MESSAGE_MAX];
    bool expected[LANES_MAX];
    for (size_t i = 0; i < count; i++) {
        make_random(seeds[i], sizeof seeds[i]);
        make_random(messages[i], sizeof messages[i]);
        reference_ed25519_public(seeds[i], keys[i]);
        jobs[i] = (struct lanes_ed25519_sign){.private_key = seeds[i],
                                              .public_key = keys[i],
                                              .message = bytes_of(messages[i], vectors_random(MESSAGE_MAX + 1))};
        pointers[i] = &jobs[i];
    }
    lanes_ed25519_sign(pointers, count);
    for (size_t i = 0; i < count; i++) {
        uint8_t signature[SIGNATURE_SIZE];
        reference_ed25519_sign(seeds[i], keys[i], jobs[i].message, signature);
        cr_assert(jobs[i].good && memcmp(jobs[i].signature, signature, sizeof signature) == 0);
        unsigned fault = vectors_random(4);
        uint8_t *where[] = {jobs[i].signature, jobs[i].signature + 32, keys[i]};
        if (fault < 3) {
            where[fault][vectors_random(31)] ^= (uint8_t)(1 << vectors_random(8));
        }
        expected[i] = fault == 3;
        cr_assert_eq(reference_ed25519_verify(keys[i], jobs[i].message, jobs[i].signature), expected[i]);
        checks[i] =
            (struct lanes_ed25519_verify){.public_key = keys[i], .signature = jobs[i].signature, .message = jobs[i].message};
        check_pointers[i] = &checks[i];
    }
    lanes_ed25519_verify(check_pointers, count);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(checks[i].good, expected[i]);
    }
}

Test(lanes_ed25519, signatures_as_wolfcrypt_makes_them) {
    VECTORS_NEED_LANES();
    for (size_t round = 0; round < 200; round++) {
        sign_group(1 + round % LANES_MAX);
    }
}

Test(lanes_ed25519, nothing_is_a_message) {
    VECTORS_NEED_LANES();
    uint8_t seed[32] = {1};
    uint8_t key[32];
    uint8_t expected[SIGNATURE_SIZE];
    reference_ed25519_public(seed, key);
    reference_ed25519_sign(seed, key, bytes_of("", 0), expected);
    struct lanes_ed25519_sign job = {.private_key = seed, .public_key = key, .message = bytes_of(NULL, 0)};
    lanes_ed25519_sign((struct lanes_ed25519_sign *[]){&job}, 1);
    cr_assert(job.good && memcmp(job.signature, expected, sizeof expected) == 0);
    struct lanes_ed25519_verify check = {.public_key = key, .signature = expected, .message = bytes_of(NULL, 0)};
    lanes_ed25519_verify((struct lanes_ed25519_verify *[]){&check}, 1);
    cr_assert(check.good);
}

/*
 * A key of small order, or one that is not written in the shortest way: with the neutral point as a key, the neutral point
 * and zero are a signature of everything.
 */
Test(lanes_ed25519, keys_for_which_anybody_can_sign) {
    VECTORS_NEED_LANES();
    static const char *const keys[] = {
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        /* 1 and 0, with the modulus added */
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    static const uint8_t neutral[SIGNATURE_SIZE] = {1};
    for (size_t i = 0; i < ARRAY_LENGTH(keys); i++) {
        struct bytes key = vectors_read_hex(keys[i]);
        /* Of order 8 or less: one message in eight or more. */
        for (uint8_t message = 0; message < 64; message++) {
            struct lanes_ed25519_verify job = {
                .public_key = key.data, .signature = neutral, .message = bytes_of(&message, 1)};
            lanes_ed25519_verify((struct lanes_ed25519_verify *[]){&job}, 1);
            cr_assert(!job.good && !reference_ed25519_verify(key.data, job.message, neutral), "%s", keys[i]);
        }
        free((void *)(uintptr_t)key.data);
    }
}

/* s and s plus the order are the same number, but only one of them is a signature. */
Test(lanes_ed25519, signatures_are_not_malleable) {
    VECTORS_NEED_LANES();
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                      0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
    uint8_t seed[32] = {2};
    uint8_t key[32];
    uint8_t signature[SIGNATURE_SIZE];
    struct bytes message = bytes_of("malleable", 9);
    reference_ed25519_public(seed, key);
    reference_ed25519_sign(seed, key, message, signature);
    for (unsigned times = 1; times < 8; times++) {
        unsigned carry = 0;
        for (size_t i = 0; i < sizeof order; i++) {
            carry += (unsigned)signature[32 + i] + order[i];
            signature[32 + i] = (uint8_t)carry;
            carry >>= 8;
        }
        struct lanes_ed25519_verify job = {.public_key = key, .signature = signature, .message = message};
        lanes_ed25519_verify((struct lanes_ed25519_verify *[]){&job}, 1);
        cr_assert(!job.good && !reference_ed25519_verify(key, message, signature));
    }
}
