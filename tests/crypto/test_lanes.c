#include "crypto/lanes.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/sha512.h>

/* Tells whether the kernel lists this flag of the processor, which it does only where it keeps the registers. */
static bool has_flag(const char *flag) {
    static char line[16 * 1024];
    char padded[64];
    bool found = false;
    snprintf(padded, sizeof padded, " %s ", flag);
    FILE *file = fopen("/proc/cpuinfo", "r");
    cr_assert_not_null(file);
    while (!found && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = ' ';
        found = strncmp(line, "flags", 5) == 0 && strstr(line, padded) != NULL;
    }
    fclose(file);
    return found;
}

Test(lanes, supported_as_the_kernel_says) {
    static const char *const needed[] = {"avx512f",    "avx512cd",     "avx512dq", "avx512bw", "avx512vl", "avx512ifma",
                                         "avx512vbmi", "avx512_vbmi2", "avx2",     "bmi1",     "bmi2"};
    bool all = true;
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        all = all && has_flag(needed[i]);
    }
    cr_assert_eq(lanes_supported(), all);
}

Test(lanes, every_kind_has_a_name_and_a_worth) {
    for (int kind = 0; kind < LANES_KINDS; kind++) {
        cr_assert_not_null(lanes_name((enum lanes_kind)kind));
        size_t worth = lanes_worth((enum lanes_kind)kind);
        cr_assert(worth >= 1 && worth <= LANES_MAX + 1, "%s", lanes_name((enum lanes_kind)kind));
    }
}

Test(lanes, a_kind_is_found_by_its_operation_and_its_curve_or_size) {
    cr_assert_eq(lanes_find(LANES_OPERATION_X25519_SHARED, 0), LANES_X25519_SHARED);
    cr_assert_eq(lanes_find(LANES_OPERATION_ECDSA_PREPARE, LANES_P384), LANES_P384_PREPARE);
    cr_assert_eq(lanes_find(LANES_OPERATION_RSA_PRIVATE, 384), LANES_RSA3072_PRIVATE);
    cr_assert_eq(lanes_find(LANES_OPERATION_RSA_PUBLIC, 128), LANES_KINDS);
    for (unsigned kind = 0; kind < LANES_KINDS; kind++) {
        cr_assert_eq(lanes_find(lanes_operation((enum lanes_kind)kind), lanes_variant((enum lanes_kind)kind)), kind);
    }
}

/* A call without jobs, or with more than there are lanes, is a mistake of the caller's. */
Test(lanes, no_jobs, .signal = SIGABRT) {
    lanes_x25519_public(NULL, 0);
}

Test(lanes, too_many_jobs, .signal = SIGABRT) {
    lanes_x25519_public(NULL, LANES_MAX + 1);
}

/* Operations on secrets, each with a job that lies elsewhere, on a stack that can be searched. */

enum { SECRET_SIZE = 32, RSA_SIZE = 256, MARK = 0xa7 };

static struct secrets {
    uint8_t key[SECRET_SIZE];
    uint8_t nonce[SECRET_SIZE];
    uint8_t result[SECRET_SIZE];
    uint8_t expanded[WC_SHA512_DIGEST_SIZE]; /* the key, as Ed25519 uses it */
} * secrets;

static void x25519_public(void) {
    struct lanes_x25519_public *job = calloc(1, sizeof *job);
    job->private_key = secrets->key;
    lanes_x25519_public(&job, 1);
    cr_assert(job->good);
    free(job);
}

static void x25519_shared(void) {
    static const uint8_t base[32] = {9};
    struct lanes_x25519_shared *job = calloc(1, sizeof *job);
    job->private_key = secrets->key;
    job->peer = base;
    lanes_x25519_shared(&job, 1);
    cr_assert(job->good);
    memcpy(secrets->result, job->secret, SECRET_SIZE);
    free(job);
}

static void ecdh(void) {
    struct lanes_ecdh_public *own = calloc(1, sizeof *own);
    struct lanes_ecdh_shared *job = calloc(1, sizeof *job);
    own->private_key = job->private_key = secrets->key;
    lanes_ecdh_public(LANES_P256, &own, 1);
    job->peer = bytes_of(own->point, 65);
    lanes_ecdh_shared(LANES_P256, &job, 1);
    cr_assert(own->good && job->good);
    memcpy(secrets->result, job->x, SECRET_SIZE);
    free(own);
    free(job);
}

static void ecdsa_prepare(void) {
    struct lanes_ecdsa_prepare *job = calloc(1, sizeof *job);
    job->nonce = secrets->nonce;
    lanes_ecdsa_prepare(LANES_P256, &job, 1);
    cr_assert(job->good);
    memcpy(secrets->result, job->prepared.inverse, SECRET_SIZE);
    free(job);
}

static void ecdsa_finish(void) {
    struct lanes_ecdsa_prepared *prepared = calloc(1, sizeof *prepared);
    struct lanes_ecdsa_finish *job = calloc(1, sizeof *job);
    memcpy(prepared->inverse, secrets->nonce, SECRET_SIZE);
    prepared->r[0] = 1; /* is no secret */
    job->digest = bytes_of("0123456789abcdef0123456789abcdef", 32);
    job->private_key = secrets->key;
    job->prepared = prepared;
    lanes_ecdsa_finish(LANES_P256, job);
    cr_assert(job->good);
    free(job);
    free(prepared);
}

static void ed25519_sign(void) {
    static const uint8_t public_key[32] = {1};
    struct lanes_ed25519_sign *job = calloc(1, sizeof *job);
    memcpy(secrets->result, secrets->expanded + SECRET_SIZE, SECRET_SIZE); /* the nonces are made from it */
    job->private_key = secrets->key;
    job->public_key = public_key;
    lanes_ed25519_sign(&job, 1);
    cr_assert(job->good);
    free(job);
}

/* The numbers are no key's, so that there is no result; but they are computed with. */
static void rsa_private(void) {
    static uint8_t modulus[RSA_SIZE];
    static uint8_t input[RSA_SIZE];
    static uint8_t prime[RSA_SIZE / 2];
    struct lanes_rsa_private *job = calloc(1, sizeof *job);
    memset(modulus, 0xff, sizeof modulus);
    memset(input, 0x55, sizeof input);
    memset(prime, 0xff, sizeof prime);
    job->modulus = bytes_of(modulus, sizeof modulus);
    job->input = bytes_of(input, sizeof input);
    job->p = job->q = bytes_of(prime, sizeof prime);
    job->dp = bytes_of(secrets->key, SECRET_SIZE);
    job->dq = bytes_of(secrets->nonce, SECRET_SIZE);
    job->qinv = bytes_of(secrets->key, SECRET_SIZE);
    lanes_rsa_private(RSA_SIZE, &job, 1);
    cr_assert(!job->good);
    free(job);
}

static void *run(void *operation) {
    (*(void (**)(void))operation)();
    return NULL;
}

/* Tells whether a word of the secret is there, in either order of its octets. */
static bool is_found(const uint8_t *stack, size_t size, const uint8_t *secret) {
    for (size_t i = 0; i + 8 <= SECRET_SIZE; i += 8) {
        uint8_t reversed[8];
        for (size_t j = 0; j < 8; j++) {
            reversed[j] = secret[i + 7 - j];
        }
        if (memmem(stack, size, secret + i, 8) != NULL || memmem(stack, size, reversed, 8) != NULL) {
            return true;
        }
    }
    return false;
}

/* The stack is as large as a caller's must be, and it is enough. */
Test(lanes, nothing_secret_is_left_on_the_stack) {
    static void (*const operations[])(void) = {x25519_public, x25519_shared, ecdh,       ecdsa_prepare,
                                               ecdsa_finish,  ed25519_sign,  rsa_private};
    if (!lanes_supported()) {
        cr_skip_test("this processor has no AVX-512 IFMA, or the kernel does not keep its registers");
    }
    secrets = calloc(1, sizeof *secrets);
    for (size_t i = 0; i < SECRET_SIZE; i++) {
        secrets->key[i] = (uint8_t)(0x11 + 7 * i);
        secrets->nonce[i] = (uint8_t)(0x13 + 5 * i);
    }
    cr_assert_eq(wc_Sha512Hash(secrets->key, SECRET_SIZE, secrets->expanded), 0);
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++) {
        void (*operation)(void) = operations[i];
        pthread_attr_t attributes;
        pthread_t thread;
        memset(secrets->result, 0xc3, SECRET_SIZE);
        uint8_t *stack = mmap(NULL, LANES_STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        cr_assert(stack != MAP_FAILED);
        memset(stack, MARK, LANES_STACK_SIZE);
        cr_assert_eq(pthread_attr_init(&attributes), 0);
        cr_assert_eq(pthread_attr_setstack(&attributes, stack, LANES_STACK_SIZE), 0);
        cr_assert_eq(pthread_create(&thread, &attributes, run, (void *)&operation), 0);
        cr_assert_eq(pthread_join(thread, NULL), 0);
        cr_assert(!is_found(stack, LANES_STACK_SIZE, secrets->key), "the key, by operation %zu", i);
        cr_assert(!is_found(stack, LANES_STACK_SIZE, secrets->nonce), "the nonce, by operation %zu", i);
        cr_assert(!is_found(stack, LANES_STACK_SIZE, secrets->result), "the result, by operation %zu", i);
        munmap(stack, LANES_STACK_SIZE);
        pthread_attr_destroy(&attributes);
    }
    free(secrets);
}
