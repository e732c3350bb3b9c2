/* wolfCrypt's keys and certificates' signatures, computed in company. All is held against what wolfCrypt does alone. */
#include "company.h"
#include "crypto/offload.h"
#include "reference.h"
#include "vectors.h"
#include "x509/signature.h"

#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/wc_port.h>

enum { TASKS_MAX = LANES_MAX + 1, DIGEST_SIZE = 32 };

/* Numbers that were drawn. */
static size_t draws;
static bool generator_fails;
int __real_wc_RNG_GenerateBlock(WC_RNG *rng, byte *output, word32 size);
int __wrap_wc_RNG_GenerateBlock(WC_RNG *rng, byte *output, word32 size);
int __wrap_wc_RNG_GenerateBlock(WC_RNG *rng, byte *output, word32 size) {
    draws++;
    return generator_fails ? RNG_FAILURE_E : __real_wc_RNG_GenerateBlock(rng, output, size);
}

static void begin(void) {
    company_need();
    cr_assert_eq(wolfCrypt_Init(), 0);
    cr_assert_eq(offload_register(), 0);
    company_begin();
}

static void end(void) {
    company_end();
    wolfCrypt_Cleanup();
}

TestSuite(offload, .init = begin, .fini = end);

/* One task of several that run side by side. */
struct work {
    struct batch_task task;
    void (*function)(struct work *work);
    size_t index;
    const struct vector *vector;
    struct signature_key key;
    struct signature_algorithm algorithm;
    bool good;
    int result;
    ecc_key ec;
    curve25519_key x25519;
    RsaKey rsa;
    uint8_t digest[DIGEST_SIZE];
    uint8_t output[LANES_RSA_SIZE_MAX];
    word32 size;
};

static struct work works[TASKS_MAX];

static void run(struct batch_task *task) {
    struct work *work = CONTAINER_OF(task, struct work, task);
    work->function(work);
}

static void ignore(struct batch_task *task) {}

/* Runs the function in so many tasks, which have whatever works[] has already. */
static void run_all(size_t count, void (*function)(struct work *work)) {
    memset(computed, 0, sizeof computed);
    for (size_t i = 0; i < count; i++) {
        works[i].task = (struct batch_task){.run = run, .ended = ignore};
        works[i].function = function;
        works[i].index = i;
        works[i].size = sizeof works[i].output;
        batch_run(batch, &works[i].task);
    }
    batch_flush(batch);
}

/* Returns how many of so many operations of a kind are computed in company. */
static size_t in_company(enum lanes_kind kind, size_t count) {
    size_t rest = count % LANES_MAX;
    return rest >= lanes_worth(kind) ? count : count - rest;
}

/* Signatures of certificates, by the vectors of Project Wycheproof. */

static unsigned number_of(struct bytes field) {
    return (unsigned)field.data[0] << 8 | field.data[1];
}

static enum signature_hash hash_of(struct bytes bits) {
    unsigned number = number_of(bits);
    return number == 256 ? SIGNATURE_SHA256 : number == 384 ? SIGNATURE_SHA384 : SIGNATURE_SHA512;
}

static void describe_rsa(struct work *work) {
    const struct vector *vector = work->vector;
    unsigned salt = number_of(vector->fields[3]);
    work->key = (struct signature_key){.algorithm = {.kind = SIGNATURE_RSA},
                                       .bits = (unsigned)vector->fields[0].size * 8,
                                       .modulus = vector->fields[0],
                                       .exponent = vector->fields[1]};
    work->algorithm = (struct signature_algorithm){
        .kind = salt > 0 ? SIGNATURE_RSA_PSS : SIGNATURE_RSA, .hash = hash_of(vector->fields[2]), .salt_size = salt};
}

static void describe_ecdsa(struct work *work) {
    const struct vector *vector = work->vector;
    work->key = (struct signature_key){.algorithm = {.kind = SIGNATURE_ECDSA},
                                       .curve = vector->fields[0].size == 65 ? ECC_SECP256R1 : ECC_SECP384R1,
                                       .point = vector->fields[0]};
    work->algorithm = (struct signature_algorithm){.kind = SIGNATURE_ECDSA, .hash = hash_of(vector->fields[1])};
}

static void describe_ed25519(struct work *work) {
    work->key = (struct signature_key){.algorithm = {.kind = SIGNATURE_ED25519}, .point = work->vector->fields[0]};
    work->algorithm = (struct signature_algorithm){.kind = SIGNATURE_ED25519};
}

/* The files, with the fields in which messages and signatures are. */
static const struct file {
    const char *name;
    void (*describe)(struct work *work);
    size_t message;
    size_t signature;
    enum lanes_kind kind;
} files[] = {
    {"rsa_signature_2048_sha256_test", describe_rsa, 4, 5, LANES_RSA2048_PUBLIC},
    {"rsa_signature_3072_sha384_test", describe_rsa, 4, 5, LANES_RSA3072_PUBLIC},
    {"rsa_signature_4096_sha512_test", describe_rsa, 4, 5, LANES_RSA4096_PUBLIC},
    {"rsa_pss_2048_sha256_mgf1_32_test", describe_rsa, 4, 5, LANES_RSA2048_PUBLIC},
    {"rsa_pss_3072_sha256_mgf1_32_test", describe_rsa, 4, 5, LANES_RSA3072_PUBLIC},
    {"rsa_pss_4096_sha256_mgf1_32_test", describe_rsa, 4, 5, LANES_RSA4096_PUBLIC},
    {"ecdsa_secp256r1_sha256_test", describe_ecdsa, 2, 3, LANES_P256_VERIFY},
    {"ecdsa_secp256r1_sha512_test", describe_ecdsa, 2, 3, LANES_P256_VERIFY},
    {"ecdsa_secp384r1_sha256_test", describe_ecdsa, 2, 3, LANES_P384_VERIFY},
    {"ecdsa_secp384r1_sha384_test", describe_ecdsa, 2, 3, LANES_P384_VERIFY},
    {"ed25519_test", describe_ed25519, 1, 2, LANES_ED25519_VERIFY},
};

static const struct file *file; /* the one whose turn it is */

static void verify(struct work *work) {
    const struct vector *vector = work->vector;
    work->good =
        signature_verify(&work->key, &work->algorithm, vector->fields[file->message], vector->fields[file->signature]);
}

static void verify_group(struct vector *const group[], size_t count) {
    for (size_t i = 0; i < count; i++) {
        works[i].vector = group[i];
        file->describe(&works[i]);
    }
    run_all(count, verify);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(works[i].good, group[i]->good, "%s: %u", file->name, group[i]->number);
    }
}

static void verify_file(const struct file *of) {
    file = of;
    struct vectors *vectors = vectors_read(file->name);
    size_t all = 0;
    for (size_t i = 0; i < vectors->count; i++) {
        works[0].vector = &vectors->all[i];
        file->describe(&works[0]);
        verify(&works[0]); /* not in a task */
        vectors_note(&vectors->all[i], works[0].good);
    }
    struct vector *group[LANES_MAX];
    for (size_t i = 0; i + LANES_MAX <= vectors->count; i += LANES_MAX) {
        for (size_t j = 0; j < LANES_MAX; j++) {
            group[j] = &vectors->all[i + j];
        }
        verify_group(group, LANES_MAX);
        all += computed[file->kind];
    }
    cr_assert_gt(all, vectors->count / 3, "%s: %zu of %zu in company", file->name, all, vectors->count);
    vectors_in_groups(vectors, verify_group);
    vectors_free(vectors);
}

Test(offload, signatures_by_rsa_of_wycheproof, .timeout = 60) {
    for (size_t i = 0; i < 6; i++) {
        verify_file(&files[i]);
    }
}

Test(offload, signatures_by_curves_of_wycheproof, .timeout = 60) {
    for (size_t i = 6; i < ARRAY_LENGTH(files); i++) {
        verify_file(&files[i]);
    }
}

/* Generation of keys, and agreement. */

static const int curves[] = {ECC_SECP256R1, ECC_SECP384R1, ECC_SECP521R1};
static int curve;

static void make_ec(struct work *work) {
    CHECK(wc_ecc_init_ex(&work->ec, NULL, OFFLOAD_DEVICE) == 0);
    work->result = wc_ecc_make_key_ex(reference_rng(), 0, &work->ec, curve);
}

static void share_ec(struct work *work) {
    CHECK(wc_ecc_set_rng(&work->ec, reference_rng()) == 0);
    work->result = wc_ecc_shared_secret(&work->ec, &works[0].ec, work->output, &work->size);
}

/* The other side's secret, by wolfCrypt alone. */
static void check_ec_secret(struct work *work) {
    uint8_t expected[MAX_ECC_BYTES];
    word32 size = sizeof expected;
    CHECK(wc_ecc_set_rng(&works[0].ec, reference_rng()) == 0);
    cr_assert_eq(work->result, 0);
    cr_assert_eq(wc_ecc_shared_secret(&works[0].ec, &work->ec, expected, &size), 0);
    cr_assert_eq(work->size, size);
    cr_assert_arr_eq(work->output, expected, size);
}

static void check_ec_key(struct work *work) {
    cr_assert_eq(work->result, 0);
    cr_assert_eq(wc_ecc_check_key(&work->ec), 0);
    cr_assert_eq(work->ec.type, ECC_PRIVATEKEY);
    cr_assert_eq(work->ec.dp->id, curve);
    ecc_point *point = wc_ecc_new_point();
    CHECK(point != NULL && wc_ecc_make_pub_ex(&work->ec, point, reference_rng()) == 0);
    cr_assert_eq(wc_ecc_cmp_point(point, &work->ec.pubkey), MP_EQ);
    wc_ecc_del_point(point);
    for (size_t i = 0; i < work->index; i++) {
        cr_assert_neq(wc_ecc_cmp_point(&work->ec.pubkey, &works[i].ec.pubkey), MP_EQ, "two have the same key");
    }
}

Test(offload, keys_on_curves) {
    for (size_t i = 0; i < ARRAY_LENGTH(curves); i++) {
        curve = curves[i];
        enum lanes_kind sharing = offload_curve_kind(LANES_OPERATION_ECDH_SHARED, curve);
        cr_assert_eq(sharing == LANES_KINDS, curve == ECC_SECP521R1);
        for (size_t count = 1; count <= TASKS_MAX; count++) {
            run_all(count, make_ec);
            for (size_t j = 0; j < count; j++) {
                check_ec_key(&works[j]);
            }
            run_all(count, share_ec);
            cr_assert(sharing == LANES_KINDS || computed[sharing] == in_company(sharing, count));
            for (size_t j = 0; j < count; j++) {
                check_ec_secret(&works[j]);
            }
            for (size_t j = 0; j < count; j++) {
                wc_ecc_free(&works[j].ec);
            }
        }
    }
}

static void make_x25519(struct work *work) {
    CHECK(wc_curve25519_init_ex(&work->x25519, NULL, OFFLOAD_DEVICE) == 0);
    work->result = wc_curve25519_make_key(reference_rng(), CURVE25519_KEYSIZE, &work->x25519);
}

static void share_x25519(struct work *work) {
    work->result =
        wc_curve25519_shared_secret_ex(&work->x25519, &works[0].x25519, work->output, &work->size, EC25519_LITTLE_ENDIAN);
}

static void check_x25519(struct work *work) {
    uint8_t expected[CURVE25519_KEYSIZE];
    word32 size = sizeof expected;
    cr_assert_eq(work->result, 0);
    cr_assert_eq(wc_curve25519_shared_secret_ex(&works[0].x25519, &work->x25519, expected, &size, EC25519_LITTLE_ENDIAN), 0);
    cr_assert_eq(work->size, size);
    cr_assert_arr_eq(work->output, expected, size);
    for (size_t i = 0; i < work->index; i++) {
        cr_assert_arr_neq(work->x25519.k, works[i].x25519.k, CURVE25519_KEYSIZE);
    }
}

Test(offload, x25519_keys) {
    for (size_t count = 1; count <= TASKS_MAX; count++) {
        run_all(count, make_x25519);
        run_all(count, share_x25519);
        cr_assert_eq(computed[LANES_X25519_SHARED], in_company(LANES_X25519_SHARED, count));
        for (size_t i = 0; i < count; i++) {
            check_x25519(&works[i]);
        }
        for (size_t i = 0; i < count; i++) {
            wc_curve25519_free(&works[i].x25519);
        }
    }
}

/* Signatures. */

static void make_digest(struct work *work) {
    for (size_t i = 0; i < sizeof work->digest; i++) {
        work->digest[i] = (uint8_t)vectors_random(256);
    }
}

static void sign_ecdsa(struct work *work) {
    CHECK(wc_ecc_init_ex(&work->ec, NULL, OFFLOAD_DEVICE) == 0);
    CHECK(wc_ecc_import_private_key_ex(work->output, (word32)wc_ecc_get_curve_size_from_id(curve), NULL, 0, &work->ec,
                                       curve) == 0);
    make_digest(work);
    work->result =
        wc_ecc_sign_hash(work->digest, sizeof work->digest, work->output, &work->size, reference_rng(), &work->ec);
}

Test(offload, signatures_by_ecdsa) {
    for (size_t i = 0; i < ARRAY_LENGTH(curves); i++) {
        curve = curves[i];
        for (size_t count = 1; count <= TASKS_MAX; count++) {
            for (size_t j = 0; j < count; j++) {
                CHECK(wc_RNG_GenerateBlock(reference_rng(), works[j].output, MAX_ECC_BYTES) == 0);
                works[j].output[0] = 0; /* below the order */
            }
            run_all(count, sign_ecdsa);
            for (size_t j = 0; j < count; j++) {
                struct work *work = &works[j];
                int verified = 0;
                cr_assert_eq(work->result, 0);
                CHECK(wc_ecc_make_pub_ex(&work->ec, NULL, reference_rng()) == 0);
                cr_assert_eq(
                    wc_ecc_verify_hash(work->output, work->size, work->digest, sizeof work->digest, &verified, &work->ec),
                    0);
                cr_assert_eq(verified, 1);
                wc_ecc_free(&work->ec);
            }
        }
    }
}

/* From the second of a kind on. A generator of wolfCrypt's that fails shows that it is not asked. */
Test(offload, keys_and_signatures_come_from_the_supply) {
    reference_rng();
    for (int i = 0; i < 2; i++) {
        generator_fails = i > 0;
        draws = 0;
        run_all(LANES_MAX, make_x25519);
        for (size_t j = 0; j < LANES_MAX; j++) {
            cr_assert_eq(works[j].result, 0);
            wc_curve25519_free(&works[j].x25519);
        }
        for (size_t at = 0; at < 2; at++) {
            curve = curves[at];
            run_all(LANES_MAX, make_ec);
            for (size_t j = 0; j < LANES_MAX; j++) {
                cr_assert_eq(works[j].result, 0);
                wc_ecc_free(&works[j].ec);
                memset(works[j].output, 1, sizeof works[j].output);
            }
            run_all(LANES_MAX, sign_ecdsa);
            for (size_t j = 0; j < LANES_MAX; j++) {
                cr_assert_eq(works[j].result, 0);
                wc_ecc_free(&works[j].ec);
            }
        }
        cr_assert_eq(draws == 0, i > 0);
    }
    generator_fails = false;
}

/* Without one wolfCrypt makes them, of random numbers and nothing else. */
Test(offload, a_generator_that_fails_makes_no_key) {
    supply_destroy(supply);
    supply = NULL;
    reference_rng();
    generator_fails = true;
    run_all(LANES_MAX, make_x25519);
    for (size_t i = 0; i < LANES_MAX; i++) {
        cr_assert_neq(works[i].result, 0);
        wc_curve25519_free(&works[i].x25519);
    }
    curve = ECC_SECP256R1;
    run_all(LANES_MAX, make_ec);
    for (size_t i = 0; i < LANES_MAX; i++) {
        cr_assert_neq(works[i].result, 0);
        wc_ecc_free(&works[i].ec);
    }
    generator_fails = false;
}

/* wolfCrypt keeps in a key where its work with the key is. So each task has a copy of its own, as each handshake has. */
static void open_rsa(struct work *work, struct bytes der) {
    word32 at = 0;
    CHECK(wc_InitRsaKey_ex(&work->rsa, NULL, OFFLOAD_DEVICE) == 0);
    CHECK(wc_RsaPrivateKeyDecode(der.data, &at, &work->rsa, (word32)der.size) == 0);
    CHECK(wc_RsaSetRNG(&work->rsa, reference_rng()) == 0);
}

static bool is_pss;

static void sign_rsa(struct work *work) {
    make_digest(work);
    work->result =
        is_pss ? wc_RsaPSS_Sign(work->digest, sizeof work->digest, work->output, work->size, WC_HASH_TYPE_SHA256,
                                WC_MGF1SHA256, &work->rsa, reference_rng())
               : wc_RsaSSL_Sign(work->digest, sizeof work->digest, work->output, work->size, &work->rsa, reference_rng());
}

static bool rsa_holds(struct work *work) {
    uint8_t found[LANES_RSA_SIZE_MAX];
    if (work->result < 0) {
        return false;
    }
    if (!is_pss) {
        return wc_RsaSSL_Verify(work->output, (word32)work->result, found, sizeof found, &work->rsa) == DIGEST_SIZE &&
               memcmp(found, work->digest, sizeof work->digest) == 0;
    }
    int size = wc_RsaPSS_Verify(work->output, (word32)work->result, found, sizeof found, WC_HASH_TYPE_SHA256, WC_MGF1SHA256,
                                &work->rsa);
    return size > 0 &&
           wc_RsaPSS_CheckPadding(work->digest, sizeof work->digest, found, (word32)size, WC_HASH_TYPE_SHA256) == 0;
}

/* Makes a key, and signs with it in groups of all sizes. */
static void check_rsa(int bits, long exponent, enum lanes_kind kind) {
    static uint8_t der[8 * LANES_RSA_SIZE_MAX];
    RsaKey key;
    CHECK(wc_InitRsaKey(&key, NULL) == 0 && wc_MakeRsaKey(&key, bits, exponent, reference_rng()) == 0);
    int size = wc_RsaKeyToDer(&key, der, sizeof der);
    CHECK(size > 0);
    wc_FreeRsaKey(&key);
    for (size_t count = 1; count <= TASKS_MAX; count++) {
        is_pss = count % 2 == 0;
        for (size_t i = 0; i < count; i++) {
            open_rsa(&works[i], bytes_of(der, (size_t)size));
        }
        run_all(count, sign_rsa);
        for (size_t i = 0; i < LANES_KINDS; i++) {
            cr_assert_eq(computed[i], i == kind ? in_company(kind, count) : 0);
        }
        for (size_t i = 0; i < count; i++) {
            cr_assert(rsa_holds(&works[i]), "%zu of %zu: %d", i, count, works[i].result);
            wc_FreeRsaKey(&works[i].rsa);
        }
    }
}

Test(offload, signatures_by_rsa_of_2048_bits, .timeout = 60) {
    check_rsa(2048, 65537, LANES_RSA2048_PRIVATE);
}

Test(offload, signatures_by_rsa_of_3072_bits, .timeout = 60) {
    check_rsa(3072, 65537, LANES_RSA3072_PRIVATE);
}

Test(offload, signatures_by_rsa_of_4096_bits, .timeout = 120) {
    check_rsa(4096, 65537, LANES_RSA4096_PRIVATE);
}

/* Lanes know one exponent. */
Test(offload, signatures_by_rsa_of_another_exponent, .timeout = 60) {
    check_rsa(2048, 3, LANES_KINDS);
}

static void sign_ed25519(struct work *work) {
    ed25519_key key;
    CHECK(wc_ed25519_init_ex(&key, NULL, OFFLOAD_DEVICE) == 0);
    make_digest(work); /* the seed */
    uint8_t public_key[ED25519_PUB_KEY_SIZE];
    reference_ed25519_public(work->digest, public_key);
    CHECK(wc_ed25519_import_private_key(work->digest, ED25519_KEY_SIZE, public_key, sizeof public_key, &key) == 0);
    work->result = wc_ed25519_sign_msg(public_key, sizeof public_key, work->output, &work->size, &key);
    wc_ed25519_free(&key);
}

/* Both make the same signature, since Ed25519 has no nonces that are drawn. */
Test(offload, signatures_by_ed25519) {
    for (size_t count = 1; count <= TASKS_MAX; count++) {
        run_all(count, sign_ed25519);
        cr_assert_eq(computed[LANES_ED25519_SIGN], in_company(LANES_ED25519_SIGN, count));
        for (size_t i = 0; i < count; i++) {
            uint8_t public_key[ED25519_PUB_KEY_SIZE];
            uint8_t expected[ED25519_SIG_SIZE];
            reference_ed25519_public(works[i].digest, public_key);
            reference_ed25519_sign(works[i].digest, public_key, bytes_of(public_key, sizeof public_key), expected);
            cr_assert_eq(works[i].result, 0);
            cr_assert_eq(works[i].size, sizeof expected);
            cr_assert_arr_eq(works[i].output, expected, sizeof expected);
        }
    }
}
