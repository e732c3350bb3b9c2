#include "base/check.h"
#include "crypto/lanes_call.h"
#include "crypto/lanes_number.h"

#ifdef __x86_64__

#include <crypto_mb/rsa.h>

enum {
    WORDS_MAX = LANES_RSA_SIZE_MAX / LANES_WORD_SIZE,
    FACTOR_WORDS_MAX = WORDS_MAX / 2,
    SCRATCH_SIZE = 112 * 1024, /* for 4096 bits by the Chinese remainder theorem, which takes most */
};

typedef lanes_word number[WORDS_MAX];
typedef lanes_word factor[FACTOR_WORDS_MAX];
typedef uint8_t octets[LANES_RSA_SIZE_MAX];

/* The numbers of a call of public operations. */
struct public_numbers {
    struct lanes_call call;
    number moduli[LANES_MAX];
    octets inputs[LANES_MAX];
    octets outputs[LANES_MAX];
};

/* The numbers of a call of private operations, beside those. */
struct private_numbers {
    factor p[LANES_MAX];
    factor q[LANES_MAX];
    factor dp[LANES_MAX];
    factor dq[LANES_MAX];
    factor qinv[LANES_MAX];
};

static bool has_top_bit(const lanes_word *value, size_t words) {
    return value[words - 1] >> 63 != 0;
}

/* Tells whether a modulus of exactly this size, which is odd, and an input below it have been read. */
static bool read_public(size_t size, struct public_numbers *all, size_t i, struct bytes modulus, struct bytes input) {
    size_t words = size / LANES_WORD_SIZE;
    lanes_word *into = all->moduli[i];
    number value;
    if (input.size != size || !lanes_number_read(into, words, modulus) || !lanes_number_read(value, words, input)) {
        return false;
    }
    memcpy(all->inputs[i], input.data, size);
    bool sound = has_top_bit(into, words) && (into[0] & 1) == 1 && lanes_number_is_less(value, into, words);
    explicit_bzero(value, sizeof value);
    return sound;
}

/* Computes outputs = inputs^65537 of the sound lanes. */
static void exponentiate(size_t size, struct public_numbers *all, uint8_t *scratch) {
    const mbx_RSA_Method *method = mbx_RSA_pub65537_Method((int)size * 8);
    const uint8_t *from[LANES_MAX];
    uint8_t *to[LANES_MAX];
    const lanes_word *moduli[LANES_MAX];
    CHECK(method != NULL && mbx_RSA_Method_BufSize(method) <= SCRATCH_SIZE);
    for (size_t i = 0; i < LANES_MAX; i++) {
        from[i] = all->inputs[all->call.source[i]];
        to[i] = all->outputs[i];
        moduli[i] = all->moduli[all->call.source[i]];
    }
    CHECK(mbx_rsa_public_mb8(from, to, moduli, (int)size * 8, method, scratch) == 0);
}

void lanes_rsa_public(size_t size, struct lanes_rsa_public *const jobs[], size_t count) {
    struct public_numbers all = {.call = {.sound = {false}}};
    uint8_t scratch[SCRATCH_SIZE];
    lanes_call_check(count);
    for (size_t i = 0; i < count; i++) {
        all.call.sound[i] = read_public(size, &all, i, jobs[i]->modulus, jobs[i]->input);
    }
    if (lanes_call_begin(&all.call)) {
        exponentiate(size, &all, scratch);
    }
    for (size_t i = 0; i < count; i++) {
        jobs[i]->good = all.call.sound[i];
        memset(jobs[i]->output, 0, sizeof jobs[i]->output);
        if (jobs[i]->good) {
            memcpy(jobs[i]->output, all.outputs[i], size);
        }
    }
}

/* Tells whether a prime has been read that can be one of two of the same size. */
static bool read_prime(lanes_word *prime, size_t words, struct bytes big_endian) {
    return lanes_number_read(prime, words, big_endian) && has_top_bit(prime, words) && (prime[0] & 1) == 1;
}

static bool read_private(size_t size, struct private_numbers *all, size_t i, const struct lanes_rsa_private *job) {
    size_t words = size / 2 / LANES_WORD_SIZE;
    return read_prime(all->p[i], words, job->p) && read_prime(all->q[i], words, job->q) &&
           lanes_number_read(all->dp[i], words, job->dp) && lanes_number_read(all->dq[i], words, job->dq) &&
           lanes_number_read(all->qinv[i], words, job->qinv) && lanes_number_is_less(all->qinv[i], all->p[i], words);
}

/* Computes outputs = inputs^d of the sound lanes. */
static void exponentiate_privately(size_t size, struct public_numbers *all, const struct private_numbers *secret,
                                   uint8_t *scratch) {
    const mbx_RSA_Method *method = mbx_RSA_private_crt_Method((int)size * 8);
    const uint8_t *from[LANES_MAX];
    uint8_t *to[LANES_MAX];
    const lanes_word *p[LANES_MAX];
    const lanes_word *q[LANES_MAX];
    const lanes_word *dp[LANES_MAX];
    const lanes_word *dq[LANES_MAX];
    const lanes_word *qinv[LANES_MAX];
    CHECK(method != NULL && mbx_RSA_Method_BufSize(method) <= SCRATCH_SIZE);
    for (size_t i = 0; i < LANES_MAX; i++) {
        size_t source = all->call.source[i];
        from[i] = all->inputs[source];
        to[i] = all->outputs[i];
        p[i] = secret->p[source];
        q[i] = secret->q[source];
        dp[i] = secret->dp[source];
        dq[i] = secret->dq[source];
        qinv[i] = secret->qinv[source];
    }
    CHECK(mbx_rsa_private_crt_mb8(from, to, p, q, dp, dq, qinv, (int)size * 8, method, scratch) == 0);
}

/*
 * Does the public operation with the outputs, and drops each lane in which it does not give back the input: a result that is
 * right modulo one of the primes alone would tell that prime.
 */
static void drop_faults(size_t size, struct public_numbers *all, uint8_t *scratch) {
    struct public_numbers again = {.call = all->call};
    size_t words = size / LANES_WORD_SIZE;
    for (size_t i = 0; i < LANES_MAX; i++) {
        memcpy(again.moduli[i], all->moduli[i], sizeof again.moduli[i]);
        memcpy(again.inputs[i], all->outputs[i], size);
    }
    exponentiate(size, &again, scratch);
    for (size_t i = 0; i < LANES_MAX; i++) {
        number result;
        lanes_number_read(result, words, bytes_of(all->outputs[i], size));
        all->call.sound[i] = all->call.sound[i] && memcmp(again.outputs[i], all->inputs[i], size) == 0 &&
                             lanes_number_is_less(result, all->moduli[i], words);
        explicit_bzero(result, sizeof result);
    }
    explicit_bzero(&again, sizeof again);
}

void lanes_rsa_private(size_t size, struct lanes_rsa_private *const jobs[], size_t count) {
    struct public_numbers all = {.call = {.sound = {false}}};
    struct private_numbers secret;
    uint8_t scratch[SCRATCH_SIZE];
    lanes_call_check(count);
    for (size_t i = 0; i < count; i++) {
        all.call.sound[i] =
            read_public(size, &all, i, jobs[i]->modulus, jobs[i]->input) && read_private(size, &secret, i, jobs[i]);
    }
    if (lanes_call_begin(&all.call)) {
        exponentiate_privately(size, &all, &secret, scratch);
        drop_faults(size, &all, scratch);
    }
    for (size_t i = 0; i < count; i++) {
        jobs[i]->good = all.call.sound[i];
        memset(jobs[i]->output, 0, sizeof jobs[i]->output);
        if (jobs[i]->good) {
            memcpy(jobs[i]->output, all.outputs[i], size);
        }
    }
    explicit_bzero(&all, sizeof all);
    explicit_bzero(&secret, sizeof secret);
    explicit_bzero(scratch, sizeof scratch);
    lanes_call_wipe_stack();
}

#else /* crypto_mb is for x86-64 */

void lanes_rsa_public(size_t size, struct lanes_rsa_public *const jobs[], size_t count) {
    lanes_call_check(count);
}

void lanes_rsa_private(size_t size, struct lanes_rsa_private *const jobs[], size_t count) {
    lanes_call_check(count);
}

#endif
