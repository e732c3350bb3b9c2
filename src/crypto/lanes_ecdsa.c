#include "crypto/lanes_call.h"
#include "crypto/lanes_curve.h"

#ifdef __x86_64__

#include <crypto_mb/ec_nistp256.h>
#include <crypto_mb/ec_nistp384.h>

typedef lanes_word number[LANES_CURVE_WORDS_MAX];
typedef uint8_t octets[LANES_EC_SIZE_MAX];

/* Writes what lanes_curve_read_digest reads. */
static bool read_digest(const struct lanes_curve_numbers *numbers, octets result, struct bytes digest) {
    number value;
    if (!lanes_curve_read_digest(numbers, value, digest)) {
        return false;
    }
    lanes_number_write(result, value, numbers->words);
    return true;
}

void lanes_ecdsa_prepare(enum lanes_curve curve, struct lanes_ecdsa_prepare *const jobs[], size_t count) {
    const struct lanes_curve_numbers *numbers = lanes_curve_numbers(curve);
    struct lanes_call call = {.sound = {false}};
    number nonces[LANES_MAX];
    number inverses[LANES_MAX];
    number rs[LANES_MAX];
    lanes_call_check(count);
    for (size_t i = 0; i < count; i++) {
        call.sound[i] = lanes_curve_read_scalar(numbers, nonces[i], bytes_of(jobs[i]->nonce, numbers->size));
    }
    unsigned status = 0;
    if (lanes_call_begin(&call)) {
        lanes_word *to_inverse[LANES_MAX];
        lanes_word *to_r[LANES_MAX];
        const lanes_word *from[LANES_MAX];
        for (size_t i = 0; i < LANES_MAX; i++) {
            to_inverse[i] = inverses[i];
            to_r[i] = rs[i];
            from[i] = nonces[call.source[i]];
        }
        status = curve == LANES_P256 ? mbx_nistp256_ecdsa_sign_setup_mb8(to_inverse, to_r, from, NULL)
                                     : mbx_nistp384_ecdsa_sign_setup_mb8(to_inverse, to_r, from, NULL);
    }
    for (size_t i = 0; i < count; i++) {
        jobs[i]->good = lanes_call_good(&call, status, i);
        jobs[i]->prepared = (struct lanes_ecdsa_prepared){{0}, {0}};
        if (jobs[i]->good) {
            memcpy(jobs[i]->prepared.inverse, inverses[i], numbers->size);
            memcpy(jobs[i]->prepared.r, rs[i], numbers->size);
        }
    }
    explicit_bzero(nonces, sizeof nonces);
    explicit_bzero(inverses, sizeof inverses);
    explicit_bzero(rs, sizeof rs);
    lanes_call_wipe_stack();
}

void lanes_ecdsa_finish(enum lanes_curve curve, struct lanes_ecdsa_finish *job) {
    const struct lanes_curve_numbers *numbers = lanes_curve_numbers(curve);
    number key;
    number inverse;
    number r_prepared;
    octets digest;
    octets r[LANES_MAX];
    octets s[LANES_MAX];
    lanes_call_check(1);
    bool sound = read_digest(numbers, digest, job->digest) &&
                 lanes_curve_read_scalar(numbers, key, bytes_of(job->private_key, numbers->size));
    unsigned status = 0;
    if (sound) {
        uint8_t *to_r[LANES_MAX];
        uint8_t *to_s[LANES_MAX];
        const uint8_t *from_digest[LANES_MAX];
        const lanes_word *from_r[LANES_MAX];
        const lanes_word *from_inverse[LANES_MAX];
        const lanes_word *from_key[LANES_MAX];
        memcpy(inverse, job->prepared->inverse, numbers->size);
        memcpy(r_prepared, job->prepared->r, numbers->size);
        for (size_t i = 0; i < LANES_MAX; i++) {
            to_r[i] = r[i];
            to_s[i] = s[i];
            from_digest[i] = digest;
            from_r[i] = r_prepared;
            from_inverse[i] = inverse;
            from_key[i] = key;
        }
        status = curve == LANES_P256
                     ? mbx_nistp256_ecdsa_sign_complete_mb8(to_r, to_s, from_digest, from_r, from_inverse, from_key, NULL)
                     : mbx_nistp384_ecdsa_sign_complete_mb8(to_r, to_s, from_digest, from_r, from_inverse, from_key, NULL);
    }
    job->good = sound && MBX_GET_STS(status, 0) == MBX_STATUS_OK;
    memset(job->signature, 0, sizeof job->signature);
    if (job->good) {
        memcpy(job->signature, r[0], numbers->size);
        memcpy(job->signature + numbers->size, s[0], numbers->size);
    }
    explicit_bzero(key, sizeof key);
    explicit_bzero(inverse, sizeof inverse);
    lanes_call_wipe_shallow_stack();
}

/* The numbers of a call that verifies. */
struct verification {
    struct lanes_call call;
    octets digests[LANES_MAX];
    octets rs[LANES_MAX];
    octets ss[LANES_MAX];
    number xs[LANES_MAX];
    number ys[LANES_MAX];
};

static bool read_verify_job(const struct lanes_curve_numbers *numbers, struct verification *all, size_t i,
                            const struct lanes_ecdsa_verify *job) {
    number r;
    number s;
    bool sound = read_digest(numbers, all->digests[i], job->digest) &&
                 lanes_curve_read_point(numbers, all->xs[i], all->ys[i], job->point) &&
                 lanes_curve_read_scalar(numbers, r, job->r) && lanes_curve_read_scalar(numbers, s, job->s);
    if (sound) {
        lanes_number_write(all->rs[i], r, numbers->words);
        lanes_number_write(all->ss[i], s, numbers->words);
    }
    return sound;
}

static unsigned verify(enum lanes_curve curve, const struct verification *all) {
    const uint8_t *from_r[LANES_MAX];
    const uint8_t *from_s[LANES_MAX];
    const uint8_t *from_digest[LANES_MAX];
    const lanes_word *from_x[LANES_MAX];
    const lanes_word *from_y[LANES_MAX];
    for (size_t i = 0; i < LANES_MAX; i++) {
        size_t source = all->call.source[i];
        from_r[i] = all->rs[source];
        from_s[i] = all->ss[source];
        from_digest[i] = all->digests[source];
        from_x[i] = all->xs[source];
        from_y[i] = all->ys[source];
    }
    /* With the patch of tools/patches it refuses points off the curve too. */
    return curve == LANES_P256 ? mbx_nistp256_ecdsa_verify_mb8(from_r, from_s, from_digest, from_x, from_y, NULL, NULL)
                               : mbx_nistp384_ecdsa_verify_mb8(from_r, from_s, from_digest, from_x, from_y, NULL, NULL);
}

void lanes_ecdsa_verify(enum lanes_curve curve, struct lanes_ecdsa_verify *const jobs[], size_t count) {
    struct verification all = {.call = {.sound = {false}}};
    lanes_call_check(count);
    for (size_t i = 0; i < count; i++) {
        all.call.sound[i] = read_verify_job(lanes_curve_numbers(curve), &all, i, jobs[i]);
    }
    unsigned status = lanes_call_begin(&all.call) ? verify(curve, &all) : 0;
    for (size_t i = 0; i < count; i++) {
        jobs[i]->good = lanes_call_good(&all.call, status, i);
    }
}

#else /* crypto_mb is for x86-64 */

void lanes_ecdsa_prepare(enum lanes_curve curve, struct lanes_ecdsa_prepare *const jobs[], size_t count) {
    lanes_call_check(count);
}

void lanes_ecdsa_finish(enum lanes_curve curve, struct lanes_ecdsa_finish *job) {
    lanes_call_check(1);
}

void lanes_ecdsa_verify(enum lanes_curve curve, struct lanes_ecdsa_verify *const jobs[], size_t count) {
    lanes_call_check(count);
}

#endif
