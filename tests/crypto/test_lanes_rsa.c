#include "reference.h"
#include "vectors.h"
#include "x509/signature.h"

#include <wolfssl/wolfcrypt/hash.h>

enum { SIZE_MAX_BYTES = LANES_RSA_SIZE_MAX, PREFIX_SIZE = 19 };

static struct bytes modulus_of(const struct vector *vector) {
    return vector->fields[0];
}

static unsigned number_of(struct bytes field) {
    return (unsigned)field.data[0] << 8 | field.data[1];
}

static struct signature_algorithm algorithm_of(const struct vector *vector) {
    unsigned bits = number_of(vector->fields[2]);
    unsigned salt = number_of(vector->fields[3]);
    return (struct signature_algorithm){
        .kind = salt > 0 ? SIGNATURE_RSA_PSS : SIGNATURE_RSA,
        .hash = bits == 256   ? SIGNATURE_SHA256
                : bits == 384 ? SIGNATURE_SHA384
                              : SIGNATURE_SHA512,
        .salt_size = salt,
    };
}

static enum wc_HashType type_of(const struct signature_algorithm *algorithm) {
    return algorithm->hash == SIGNATURE_SHA256   ? WC_HASH_TYPE_SHA256
           : algorithm->hash == SIGNATURE_SHA384 ? WC_HASH_TYPE_SHA384
                                                 : WC_HASH_TYPE_SHA512;
}

/* EMSA-PKCS1-v1_5 (RFC 8017 section 9.2): tells whether the block is the one of this digest. */
static bool is_pkcs1(const struct signature_algorithm *algorithm, struct bytes digest, const uint8_t *block, size_t size) {
    uint8_t prefix[PREFIX_SIZE] = {0x30, 0x11, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                   0x65, 0x03, 0x04, 0x02, 0x00, 0x05, 0x00, 0x04, 0x00};
    uint8_t expected[SIZE_MAX_BYTES];
    size_t padding = size - 3 - PREFIX_SIZE - digest.size;
    prefix[1] = (uint8_t)(0x11 + digest.size);
    prefix[14] = (uint8_t)(algorithm->hash - SIGNATURE_SHA256 + 1);
    prefix[18] = (uint8_t)digest.size;
    expected[0] = 0;
    expected[1] = 1;
    memset(expected + 2, 0xff, padding);
    expected[2 + padding] = 0;
    memcpy(expected + 3 + padding, prefix, PREFIX_SIZE);
    memcpy(expected + 3 + padding + PREFIX_SIZE, digest.data, digest.size);
    return memcmp(block, expected, size) == 0;
}

/* MGF1 (RFC 8017 appendix B.2.1) of a seed that is a digest. */
static void make_mask(enum wc_HashType type, struct bytes seed, uint8_t *mask, size_t size) {
    for (uint32_t counter = 0; counter * seed.size < size; counter++) {
        uint8_t input[SIGNATURE_DIGEST_MAX + 4];
        uint8_t output[SIGNATURE_DIGEST_MAX];
        size_t at = counter * seed.size;
        memcpy(input, seed.data, seed.size);
        memcpy(input + seed.size, (uint8_t[]){0, 0, 0, (uint8_t)counter}, 4);
        CHECK(wc_Hash(type, input, (word32)seed.size + 4, output, (word32)seed.size) == 0);
        memcpy(mask + at, output, size - at < seed.size ? size - at : seed.size);
    }
}

/* EMSA-PSS-VERIFY (RFC 8017 section 9.1.2) for moduli of whole octets. */
static bool is_pss(const struct signature_algorithm *algorithm, struct bytes digest, const uint8_t *block, size_t size) {
    uint8_t mask[SIZE_MAX_BYTES];
    uint8_t again[8 + 2 * SIGNATURE_DIGEST_MAX] = {0};
    uint8_t expected[SIGNATURE_DIGEST_MAX];
    size_t salt = algorithm->salt_size;
    size_t masked = size - digest.size - 1;
    const uint8_t *hash = block + masked;
    make_mask(type_of(algorithm), bytes_of(hash, digest.size), mask, masked);
    if (block[size - 1] != 0xbc || (block[0] & 0x80) != 0) {
        return false;
    }
    for (size_t i = 0; i < masked; i++) {
        mask[i] ^= block[i];
    }
    mask[0] &= 0x7f;
    for (size_t i = 0; i < masked - salt; i++) {
        if (mask[i] != (i == masked - salt - 1 ? 1 : 0)) {
            return false;
        }
    }
    memcpy(again + 8, digest.data, digest.size);
    memcpy(again + 8 + digest.size, mask + masked - salt, salt);
    CHECK(wc_Hash(type_of(algorithm), again, (word32)(8 + digest.size + salt), expected, (word32)digest.size) == 0);
    return memcmp(expected, hash, digest.size) == 0;
}

static void verify(struct vector *const group[], size_t count) {
    struct lanes_rsa_public jobs[LANES_MAX];
    struct lanes_rsa_public *pointers[LANES_MAX] = {NULL};
    size_t size = modulus_of(group[0]).size;
    for (size_t i = 0; i < count; i++) {
        jobs[i] = (struct lanes_rsa_public){.modulus = modulus_of(group[i]), .input = group[i]->fields[5]};
        pointers[i] = &jobs[i];
    }
    lanes_rsa_public(size, pointers, count);
    for (size_t i = 0; i < count; i++) {
        struct signature_algorithm algorithm = algorithm_of(group[i]);
        uint8_t digest[SIGNATURE_DIGEST_MAX];
        struct bytes whole = bytes_of(digest, signature_digest(&algorithm, group[i]->fields[4], digest));
        bool good = jobs[i].good && (algorithm.kind == SIGNATURE_RSA ? is_pkcs1(&algorithm, whole, jobs[i].output, size)
                                                                     : is_pss(&algorithm, whole, jobs[i].output, size));
        cr_assert_eq(good, group[i]->good, "%u", group[i]->number);
    }
}

static bool has_usual_exponent(const struct vector *vector) {
    static const uint8_t exponent[] = {1, 0, 1};
    return bytes_equal(vector->fields[1], bytes_of(exponent, sizeof exponent));
}

static struct vectors *read_checked(const char *name, size_t size) {
    struct vectors *vectors = vectors_read(name);
    size_t good_count = 0;
    for (size_t i = 0; i < vectors->count; i++) {
        struct vector *vector = &vectors->all[i];
        struct signature_algorithm algorithm = algorithm_of(vector);
        struct signature_key key = {.algorithm = {.kind = SIGNATURE_RSA},
                                    .bits = (unsigned)size * 8,
                                    .modulus = modulus_of(vector),
                                    .exponent = vector->fields[1]};
        cr_assert_eq(modulus_of(vector).size, size);
        vectors_note(vector, signature_verify(&key, &algorithm, vector->fields[4], vector->fields[5]));
        good_count += vector->good;
    }
    cr_assert_geq(good_count, 7);
    vectors_keep(vectors, has_usual_exponent);
    cr_assert_gt(vectors->count, 100);
    return vectors;
}

static void check_file(const char *name, size_t size) {
    VECTORS_NEED_LANES();
    struct vectors *vectors = read_checked(name, size);
    vectors_in_groups(vectors, verify);
    vectors_free(vectors);
}

Test(lanes_rsa, wolfcrypt_agrees_with_wycheproof) {
    vectors_free(read_checked("rsa_signature_2048_sha256_test", 256));
    vectors_free(read_checked("rsa_signature_3072_sha384_test", 384));
    vectors_free(read_checked("rsa_signature_4096_sha512_test", 512));
    vectors_free(read_checked("rsa_pss_2048_sha256_mgf1_32_test", 256));
    vectors_free(read_checked("rsa_pss_3072_sha256_mgf1_32_test", 384));
    vectors_free(read_checked("rsa_pss_4096_sha256_mgf1_32_test", 512));
}

Test(lanes_rsa, signatures_of_wycheproof_2048) {
    check_file("rsa_signature_2048_sha256_test", 256);
}

Test(lanes_rsa, signatures_of_wycheproof_3072) {
    check_file("rsa_signature_3072_sha384_test", 384);
}

Test(lanes_rsa, signatures_of_wycheproof_4096) {
    check_file("rsa_signature_4096_sha512_test", 512);
}

Test(lanes_rsa, pss_signatures_of_wycheproof_2048) {
    check_file("rsa_pss_2048_sha256_mgf1_32_test", 256);
}

Test(lanes_rsa, pss_signatures_of_wycheproof_3072) {
    check_file("rsa_pss_3072_sha256_mgf1_32_test", 384);
}

Test(lanes_rsa, pss_signatures_of_wycheproof_4096) {
    check_file("rsa_pss_4096_sha256_mgf1_32_test", 512);
}

/* A key pair as wolfCrypt makes it, and its numbers as lanes want them. */
struct pair {
    RsaKey key;
    uint8_t numbers[6][SIZE_MAX_BYTES];
    struct lanes_rsa_private job; /* without input */
};

static struct bytes export(mp_int *number, uint8_t *to) {
    int size = mp_unsigned_bin_size(number);
    CHECK(size <= SIZE_MAX_BYTES && mp_to_unsigned_bin(number, to) == MP_OKAY);
    return bytes_of(to, (size_t)size);
}

static struct pair *make_pair(size_t size) {
    struct pair *pair = calloc(1, sizeof *pair);
    CHECK(pair != NULL && wc_InitRsaKey(&pair->key, NULL) == 0);
    CHECK(wc_MakeRsaKey(&pair->key, (int)size * 8, 65537, reference_rng()) == 0);
    CHECK(wc_RsaSetRNG(&pair->key, reference_rng()) == 0);
    pair->job.modulus = export(&pair->key.n, pair->numbers[0]);
    pair->job.p = export(&pair->key.p, pair->numbers[1]);
    pair->job.q = export(&pair->key.q, pair->numbers[2]);
    pair->job.dp = export(&pair->key.dP, pair->numbers[3]);
    pair->job.dq = export(&pair->key.dQ, pair->numbers[4]);
    pair->job.qinv = export(&pair->key.u, pair->numbers[5]);
    return pair;
}

static void free_pair(struct pair *pair) {
    wc_FreeRsaKey(&pair->key);
    free(pair);
}

/* The same key with its primes exchanged. */
static void exchange_primes(struct pair *pair) {
    struct lanes_rsa_private *job = &pair->job;
    struct bytes kept = job->p;
    mp_int inverse;
    CHECK(mp_init(&inverse) == MP_OKAY && mp_invmod(&pair->key.p, &pair->key.q, &inverse) == MP_OKAY);
    job->p = job->q;
    job->q = kept;
    kept = job->dp;
    job->dp = job->dq;
    job->dq = kept;
    job->qinv = export(&inverse, pair->numbers[5]);
    mp_clear(&inverse);
}

enum { FAULTS = 7 };

/* Spoils a number of the job in `copy`. Nothing for a fault from FAULTS on. */
static void spoil(struct lanes_rsa_private *job, unsigned fault, uint8_t *copy) {
    struct bytes *numbers[FAULTS] = {&job->p, &job->q, &job->dp, &job->dq, &job->qinv, &job->modulus, &job->input};
    if (fault < FAULTS) {
        size_t size = numbers[fault]->size;
        memcpy(copy, numbers[fault]->data, size);
        if (fault < FAULTS - 1) {
            copy[1 + vectors_random((uint32_t)size - 1)] ^= (uint8_t)(1 << vectors_random(8));
        } else {
            memset(copy, 0xff, size); /* not below the modulus */
        }
        numbers[fault]->data = copy;
    }
}

static void check_private(struct pair *pair, size_t size, size_t count) {
    struct lanes_rsa_private jobs[LANES_MAX];
    struct lanes_rsa_private *pointers[LANES_MAX] = {NULL};
    uint8_t inputs[LANES_MAX][SIZE_MAX_BYTES];
    uint8_t copies[LANES_MAX][SIZE_MAX_BYTES];
    unsigned faults[LANES_MAX];
    for (size_t i = 0; i < count; i++) {
        CHECK(wc_RNG_GenerateBlock(reference_rng(), inputs[i], (word32)size) == 0);
        inputs[i][0] = 0x7f;
        jobs[i] = pair->job;
        jobs[i].input = bytes_of(inputs[i], size);
        faults[i] = vectors_random(2 * FAULTS);
        spoil(&jobs[i], faults[i], copies[i]);
        pointers[i] = &jobs[i];
    }
    lanes_rsa_private(size, pointers, count);
    for (size_t i = 0; i < count; i++) {
        uint8_t expected[SIZE_MAX_BYTES] = {0};
        if (faults[i] >= FAULTS) {
            word32 expected_size = (word32)size;
            CHECK(wc_RsaFunction(inputs[i], (word32)size, expected, &expected_size, RSA_PRIVATE_DECRYPT, &pair->key,
                                 reference_rng()) == 0);
        }
        cr_assert_eq(jobs[i].good, faults[i] >= FAULTS, "fault %u", faults[i]);
        cr_assert_arr_eq(jobs[i].output, expected, sizeof expected);
    }
}

static void check_key(size_t size) {
    VECTORS_NEED_LANES();
    struct pair *pair = make_pair(size);
    for (size_t round = 0; round < 24; round++) {
        check_private(pair, size, 1 + round % LANES_MAX);
    }
    exchange_primes(pair);
    for (size_t round = 0; round < 8; round++) {
        check_private(pair, size, 1 + round % LANES_MAX);
    }
    free_pair(pair);
}

Test(lanes_rsa, private_keys_2048) {
    check_key(256);
}

Test(lanes_rsa, private_keys_3072) {
    check_key(384);
}

Test(lanes_rsa, private_keys_4096) {
    check_key(512);
}

/* Inputs at the bounds: 0, 1, the modulus less 1; and the modulus, which is too much. */
Test(lanes_rsa, bounds_of_inputs) {
    VECTORS_NEED_LANES();
    struct vectors *vectors = vectors_read("rsa_signature_2048_sha256_test");
    struct bytes modulus = modulus_of(&vectors->all[0]);
    struct lanes_rsa_public jobs[4];
    struct lanes_rsa_public *pointers[4];
    uint8_t inputs[4][256] = {{0}, {[255] = 1}};
    memcpy(inputs[2], modulus.data, 256);
    inputs[2][255]--;
    memcpy(inputs[3], modulus.data, 256);
    for (size_t i = 0; i < 4; i++) {
        jobs[i] = (struct lanes_rsa_public){.modulus = modulus, .input = bytes_of(inputs[i], 256)};
        pointers[i] = &jobs[i];
    }
    lanes_rsa_public(256, pointers, 4);
    for (size_t i = 0; i < 3; i++) {
        cr_assert(jobs[i].good && memcmp(jobs[i].output, inputs[i], 256) == 0, "%zu", i);
    }
    cr_assert(!jobs[3].good);
    vectors_free(vectors);
}

/* Numbers of other sizes, and even ones, are no moduli of this size. */
Test(lanes_rsa, moduli) {
    VECTORS_NEED_LANES();
    uint8_t modulus[257] = {[0] = 0xff, [255] = 1, [256] = 1};
    uint8_t input[256] = {[255] = 2};
    struct lanes_rsa_public job = {.modulus = bytes_of(modulus, 256), .input = bytes_of(input, 256)};
    struct lanes_rsa_public *pointer = &job;
    lanes_rsa_public(256, &pointer, 1);
    cr_assert(job.good);
    job.modulus.size = 257;
    lanes_rsa_public(256, &pointer, 1);
    cr_assert(!job.good);
    job.modulus.size = 255;
    lanes_rsa_public(256, &pointer, 1);
    cr_assert(!job.good);
    job.modulus.size = 256;
    modulus[0] = 0x7f;
    lanes_rsa_public(256, &pointer, 1);
    cr_assert(!job.good, "2047 bits");
    modulus[0] = 0xff;
    modulus[255] = 2;
    lanes_rsa_public(256, &pointer, 1);
    cr_assert(!job.good, "even");
    modulus[255] = 1;
    job.input.size = 255;
    lanes_rsa_public(256, &pointer, 1);
    cr_assert(!job.good);
}
