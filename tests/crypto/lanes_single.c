/*
 * Takes the place of crypto/lanes where a test is linked with it (--wrap): wolfCrypt computes, one job at a time, on any
 * machine. So batches pause on machines without AVX-512 IFMA too, and under valgrind. The server has none of this.
 */
#include "base/check.h"
#include "reference.h"

#include <wolfssl/wolfcrypt/integer.h>

bool __wrap_lanes_supported(void);
void __wrap_lanes_x25519_public(struct lanes_x25519_public *const jobs[], size_t count);
void __wrap_lanes_x25519_shared(struct lanes_x25519_shared *const jobs[], size_t count);
void __wrap_lanes_ecdh_public(enum lanes_curve curve, struct lanes_ecdh_public *const jobs[], size_t count);
void __wrap_lanes_ecdh_shared(enum lanes_curve curve, struct lanes_ecdh_shared *const jobs[], size_t count);
void __wrap_lanes_ecdsa_prepare(enum lanes_curve curve, struct lanes_ecdsa_prepare *const jobs[], size_t count);
void __wrap_lanes_ecdsa_finish(enum lanes_curve curve, struct lanes_ecdsa_finish *job);
void __wrap_lanes_ecdsa_verify(enum lanes_curve curve, struct lanes_ecdsa_verify *const jobs[], size_t count);
void __wrap_lanes_rsa_public(size_t size, struct lanes_rsa_public *const jobs[], size_t count);
void __wrap_lanes_rsa_private(size_t size, struct lanes_rsa_private *const jobs[], size_t count);
void __wrap_lanes_ed25519_sign(struct lanes_ed25519_sign *const jobs[], size_t count);
void __wrap_lanes_ed25519_verify(struct lanes_ed25519_verify *const jobs[], size_t count);

/* It is asked first of all: whoever repeats a run finds the generator seeded in both. */
bool __wrap_lanes_supported(void) {
    reference_rng();
    return true;
}

/* Returns `good`. Results of jobs that are not good are zeros, as those of lanes are. */
static bool settle(bool good, uint8_t *result, size_t size) {
    if (!good) {
        memset(result, 0, size);
    }
    return good;
}

void __wrap_lanes_x25519_public(struct lanes_x25519_public *const jobs[], size_t count) {
    for (size_t i = 0; i < count; i++) {
        reference_x25519_public(jobs[i]->private_key, jobs[i]->public_key);
        jobs[i]->good = true;
    }
}

void __wrap_lanes_x25519_shared(struct lanes_x25519_shared *const jobs[], size_t count) {
    for (size_t i = 0; i < count; i++) {
        jobs[i]->good = settle(reference_x25519_shared(jobs[i]->private_key, jobs[i]->peer, jobs[i]->secret),
                               jobs[i]->secret, sizeof jobs[i]->secret);
    }
}

void __wrap_lanes_ecdh_public(enum lanes_curve curve, struct lanes_ecdh_public *const jobs[], size_t count) {
    for (size_t i = 0; i < count; i++) {
        jobs[i]->good = settle(reference_ecdh_public(curve, jobs[i]->private_key, jobs[i]->point), jobs[i]->point,
                               sizeof jobs[i]->point);
    }
}

void __wrap_lanes_ecdh_shared(enum lanes_curve curve, struct lanes_ecdh_shared *const jobs[], size_t count) {
    for (size_t i = 0; i < count; i++) {
        jobs[i]->good = settle(reference_ecdh_shared(curve, jobs[i]->private_key, jobs[i]->peer, jobs[i]->x), jobs[i]->x,
                               sizeof jobs[i]->x);
    }
}

/* The second step signs with a nonce of wolfCrypt's own: nothing is prepared. */
void __wrap_lanes_ecdsa_prepare(enum lanes_curve curve, struct lanes_ecdsa_prepare *const jobs[], size_t count) {
    for (size_t i = 0; i < count; i++) {
        jobs[i]->prepared = (struct lanes_ecdsa_prepared){{0}, {0}};
        jobs[i]->good = true;
    }
}

void __wrap_lanes_ecdsa_finish(enum lanes_curve curve, struct lanes_ecdsa_finish *job) {
    bool good = reference_ecdsa_sign(curve, job->digest, job->private_key, job->signature,
                                     job->signature + reference_ec_size(curve));

    job->good = settle(good, job->signature, sizeof job->signature);
}

void __wrap_lanes_ecdsa_verify(enum lanes_curve curve, struct lanes_ecdsa_verify *const jobs[], size_t count) {
    for (size_t i = 0; i < count; i++) {
        jobs[i]->good = reference_ecdsa_verify(curve, jobs[i]->digest, jobs[i]->point, jobs[i]->r, jobs[i]->s);
    }
}

void __wrap_lanes_rsa_public(size_t size, struct lanes_rsa_public *const jobs[], size_t count) {
    for (size_t i = 0; i < count; i++) {
        bool good = jobs[i]->input.size == size && reference_rsa_public(jobs[i]->modulus, jobs[i]->input, jobs[i]->output);

        jobs[i]->good = settle(good, jobs[i]->output, sizeof jobs[i]->output);
    }
}

static void read_number(mp_int *number, struct bytes bytes) {
    CHECK(mp_init(number) == MP_OKAY && mp_read_unsigned_bin(number, bytes.data, (word32)bytes.size) == MP_OKAY);
}

/* By the Chinese remainder theorem (RFC 8017 section 5.1.2): m = m2 + q * ((m1 - m2) * qinv mod p). */
static bool compute_private(size_t size, const struct lanes_rsa_private *job, uint8_t *output) {
    mp_int p, q, dp, dq, qinv, input, m1, m2;

    read_number(&p, job->p);
    read_number(&q, job->q);
    read_number(&dp, job->dp);
    read_number(&dq, job->dq);
    read_number(&qinv, job->qinv);
    read_number(&input, job->input);
    CHECK(mp_init(&m1) == MP_OKAY && mp_init(&m2) == MP_OKAY);
    return mp_exptmod(&input, &dp, &p, &m1) == MP_OKAY && mp_exptmod(&input, &dq, &q, &m2) == MP_OKAY &&
           mp_submod(&m1, &m2, &p, &m1) == MP_OKAY && mp_mulmod(&m1, &qinv, &p, &m1) == MP_OKAY &&
           mp_mul(&m1, &q, &m1) == MP_OKAY && mp_add(&m1, &m2, &m1) == MP_OKAY &&
           mp_to_unsigned_bin_len(&m1, output, (int)size) == MP_OKAY;
}

void __wrap_lanes_rsa_private(size_t size, struct lanes_rsa_private *const jobs[], size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint8_t again[LANES_RSA_SIZE_MAX];

        memset(jobs[i]->output, 0, sizeof jobs[i]->output);
        bool good = jobs[i]->input.size == size && compute_private(size, jobs[i], jobs[i]->output) &&
                    reference_rsa_public(jobs[i]->modulus, bytes_of(jobs[i]->output, size), again) &&
                    memcmp(again, jobs[i]->input.data, size) == 0;

        jobs[i]->good = settle(good, jobs[i]->output, sizeof jobs[i]->output);
    }
}

void __wrap_lanes_ed25519_sign(struct lanes_ed25519_sign *const jobs[], size_t count) {
    for (size_t i = 0; i < count; i++) {
        ed25519_key key;
        word32 signature_size = sizeof jobs[i]->signature;

        CHECK(wc_ed25519_init(&key) == 0);
        bool good = wc_ed25519_import_private_key(jobs[i]->private_key, LANES_ED25519_SIZE, jobs[i]->public_key,
                                                  LANES_ED25519_SIZE, &key) == 0 &&
                    wc_ed25519_sign_msg(jobs[i]->message.data, (word32)jobs[i]->message.size, jobs[i]->signature,
                                        &signature_size, &key) == 0;
        wc_ed25519_free(&key);
        jobs[i]->good = settle(good, jobs[i]->signature, sizeof jobs[i]->signature);
    }
}

void __wrap_lanes_ed25519_verify(struct lanes_ed25519_verify *const jobs[], size_t count) {
    for (size_t i = 0; i < count; i++) {
        jobs[i]->good = reference_ed25519_verify(jobs[i]->public_key, jobs[i]->message, jobs[i]->signature);
    }
}
