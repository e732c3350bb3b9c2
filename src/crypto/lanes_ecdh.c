#include "crypto/lanes_call.h"
#include "crypto/lanes_curve.h"

#ifdef __x86_64__

#include <crypto_mb/ec_nistp256.h>
#include <crypto_mb/ec_nistp384.h>

typedef lanes_word number[LANES_CURVE_WORDS_MAX];

void lanes_ecdh_public(enum lanes_curve curve, struct lanes_ecdh_public *const jobs[], size_t count) {
    const struct lanes_curve_numbers *numbers = lanes_curve_numbers(curve);
    struct lanes_call call = {.sound = {false}};
    number keys[LANES_MAX];
    number xs[LANES_MAX];
    number ys[LANES_MAX];
    lanes_call_check(count);
    for (size_t i = 0; i < count; i++) {
        call.sound[i] = lanes_curve_read_scalar(numbers, keys[i], bytes_of(jobs[i]->private_key, numbers->size));
    }
    unsigned status = 0;
    if (lanes_call_begin(&call)) {
        lanes_word *to_x[LANES_MAX];
        lanes_word *to_y[LANES_MAX];
        const lanes_word *from[LANES_MAX];
        for (size_t i = 0; i < LANES_MAX; i++) {
            to_x[i] = xs[i];
            to_y[i] = ys[i];
            from[i] = keys[call.source[i]];
        }
        /* Without Z, the coordinates are affine. */
        status = curve == LANES_P256 ? mbx_nistp256_ecpublic_key_mb8(to_x, to_y, NULL, from, NULL)
                                     : mbx_nistp384_ecpublic_key_mb8(to_x, to_y, NULL, from, NULL);
    }
    for (size_t i = 0; i < count; i++) {
        jobs[i]->good = lanes_call_good(&call, status, i);
        memset(jobs[i]->point, 0, sizeof jobs[i]->point);
        if (jobs[i]->good) {
            jobs[i]->point[0] = LANES_CURVE_UNCOMPRESSED;
            lanes_number_write(jobs[i]->point + 1, xs[i], numbers->words);
            lanes_number_write(jobs[i]->point + 1 + numbers->size, ys[i], numbers->words);
        }
    }
    explicit_bzero(keys, sizeof keys);
    lanes_call_wipe_stack();
}

void lanes_ecdh_shared(enum lanes_curve curve, struct lanes_ecdh_shared *const jobs[], size_t count) {
    const struct lanes_curve_numbers *numbers = lanes_curve_numbers(curve);
    struct lanes_call call = {.sound = {false}};
    number keys[LANES_MAX];
    number xs[LANES_MAX];
    number ys[LANES_MAX];
    uint8_t secrets[LANES_MAX][LANES_EC_SIZE_MAX];
    lanes_call_check(count);
    for (size_t i = 0; i < count; i++) {
        call.sound[i] = lanes_curve_read_point(numbers, xs[i], ys[i], jobs[i]->peer) &&
                        lanes_curve_read_scalar(numbers, keys[i], bytes_of(jobs[i]->private_key, numbers->size));
    }
    unsigned status = 0;
    if (lanes_call_begin(&call)) {
        uint8_t *to[LANES_MAX];
        const lanes_word *from[LANES_MAX];
        const lanes_word *from_x[LANES_MAX];
        const lanes_word *from_y[LANES_MAX];
        for (size_t i = 0; i < LANES_MAX; i++) {
            to[i] = secrets[i];
            from[i] = keys[call.source[i]];
            from_x[i] = xs[call.source[i]];
            from_y[i] = ys[call.source[i]];
        }
        /* It refuses points off the curve, and their order leaves none that could lead to infinity. */
        status = curve == LANES_P256 ? mbx_nistp256_ecdh_mb8(to, from, from_x, from_y, NULL, NULL)
                                     : mbx_nistp384_ecdh_mb8(to, from, from_x, from_y, NULL, NULL);
    }
    for (size_t i = 0; i < count; i++) {
        jobs[i]->good = lanes_call_good(&call, status, i);
        memset(jobs[i]->x, 0, sizeof jobs[i]->x);
        if (jobs[i]->good) {
            memcpy(jobs[i]->x, secrets[i], numbers->size);
        }
    }
    explicit_bzero(keys, sizeof keys);
    explicit_bzero(secrets, sizeof secrets);
    lanes_call_wipe_stack();
}

#else /* crypto_mb is for x86-64 */

void lanes_ecdh_public(enum lanes_curve curve, struct lanes_ecdh_public *const jobs[], size_t count) {
    lanes_call_check(count);
}

void lanes_ecdh_shared(enum lanes_curve curve, struct lanes_ecdh_shared *const jobs[], size_t count) {
    lanes_call_check(count);
}

#endif
