#include "micro/operations.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/curve25519.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/random.h>

struct operations {
    WC_RNG rng;
    curve25519_key share; /* made anew each time */
    curve25519_key peer;
    ecc_key signer;
    byte hash[32];
    byte signature[ECC_MAX_SIG_SIZE];
    word32 signature_size;
};

static void make_share(struct operations *operations) {
    CHECK(wc_curve25519_make_key(&operations->rng, CURVE25519_KEYSIZE, &operations->share) == 0);
}

static void agree(struct operations *operations) {
    byte secret[CURVE25519_KEYSIZE];
    word32 size = sizeof secret;

    CHECK(wc_curve25519_shared_secret_ex(&operations->share, &operations->peer, secret, &size, EC25519_LITTLE_ENDIAN) == 0);
}

static void sign(struct operations *operations) {
    operations->signature_size = sizeof operations->signature;
    CHECK(wc_ecc_sign_hash(operations->hash, sizeof operations->hash, operations->signature, &operations->signature_size,
                           &operations->rng, &operations->signer) == 0);
}

static void verify(struct operations *operations) {
    int verified = 0;

    CHECK(wc_ecc_verify_hash(operations->signature, operations->signature_size, operations->hash, sizeof operations->hash,
                             &verified, &operations->signer) == 0);
    CHECK(verified == 1);
}

static const struct {
    const char *name;
    void (*run)(struct operations *operations);
} table[OPERATIONS] = {
    [OPERATION_KEY_SHARE] = {"x25519_key_share", make_share},
    [OPERATION_AGREEMENT] = {"x25519_agreement", agree},
    [OPERATION_SIGN] = {"ecdsa_p256_sign", sign},
    [OPERATION_VERIFY] = {"ecdsa_p256_verify", verify},
};

const char *operation_name(enum operation operation) {
    return table[operation].name;
}

struct operations *operations_create(void) {
    struct operations *operations = calloc(1, sizeof *operations);

    CHECK(operations != NULL && wc_InitRng(&operations->rng) == 0);
    CHECK(wc_curve25519_init(&operations->share) == 0 && wc_curve25519_init(&operations->peer) == 0);
    CHECK(wc_curve25519_make_key(&operations->rng, CURVE25519_KEYSIZE, &operations->peer) == 0);
    CHECK(wc_ecc_init(&operations->signer) == 0);
    CHECK(wc_ecc_make_key_ex(&operations->rng, 0, &operations->signer, ECC_SECP256R1) == 0);
    CHECK(wc_RNG_GenerateBlock(&operations->rng, operations->hash, sizeof operations->hash) == 0);
    return operations;
}

void operations_free(struct operations *operations) {
    wc_curve25519_free(&operations->share);
    wc_curve25519_free(&operations->peer);
    wc_ecc_free(&operations->signer);
    wc_FreeRng(&operations->rng);
    free(operations);
}

void operations_measure(struct operations *operations, unsigned count, struct series series[static OPERATIONS],
                        struct series *sum) {
    double total = 0;

    for (int i = 0; i < OPERATIONS; i++) {
        uint64_t begin = measure_cpu_ns();

        for (unsigned j = 0; j < count; j++) {
            table[i].run(operations);
        }
        double each = (double)(measure_cpu_ns() - begin) / count;
        series_add(&series[i], each);
        total += each;
    }
    series_add(sum, total);
}
