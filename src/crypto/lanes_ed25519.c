#include "base/check.h"
#include "crypto/lanes_call.h"
#include "crypto/lanes_number.h"

#ifdef __x86_64__

#include <crypto_mb/ed25519.h>

enum { SIZE = LANES_ED25519_SIZE, WORDS = SIZE / LANES_WORD_SIZE };

/* 2^255 - 19, and the order of the base point (RFC 8032 section 5.1). */
static const lanes_word prime[WORDS] = {0xffffffffffffffed, 0xffffffffffffffff, 0xffffffffffffffff, 0x7fffffffffffffff};
static const lanes_word order[WORDS] = {0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0, 0x1000000000000000};

/* The y of the points whose order divides 8: with such a key, signatures are for anybody to make. */
static const lanes_word small_orders[][WORDS] = {
    {0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000},
    {0x0000000000000001, 0x0000000000000000, 0x0000000000000000, 0x0000000000000000},
    {0xb027b2c28f95e826, 0xf098eff289f4c345, 0x3933c6d305acdfd5, 0x05fc536d880238b1},
    {0x4fd84d3d706a17c7, 0x0f67100d760b3cba, 0xc6cc392cfa53202a, 0x7a03ac9277fdc74e},
    {0xffffffffffffffec, 0xffffffffffffffff, 0xffffffffffffffff, 0x7fffffffffffffff},
};

static bool is_sound_key(const uint8_t *public_key) {
    lanes_word y[WORDS];
    memcpy(y, public_key, sizeof y);
    y[WORDS - 1] &= ~(lanes_word)0 >> 1; /* the sign of x */
    for (size_t i = 0; i < ARRAY_LENGTH(small_orders); i++) {
        if (memcmp(y, small_orders[i], sizeof y) == 0) {
            return false;
        }
    }
    return lanes_number_is_less(y, prime, WORDS);
}

/* crypto_mb compares s with the order word by word, so that it takes most of those that are not less. */
static bool is_sound_signature(const uint8_t *signature) {
    lanes_word s[WORDS];
    memcpy(s, signature + SIZE, sizeof s);
    return lanes_number_is_less(s, order, WORDS);
}

static bool is_sound_message(struct bytes message) {
    return message.size <= UINT32_MAX;
}

/* crypto_mb wants a pointer even to nothing. */
static const uint8_t *message_data(struct bytes message) {
    static const uint8_t nothing;
    return message.size == 0 ? &nothing : message.data;
}

void lanes_ed25519_sign(struct lanes_ed25519_sign *const jobs[], size_t count) {
    struct lanes_call call = {.sound = {false}};
    ed25519_sign_component rs[LANES_MAX];
    ed25519_sign_component ss[LANES_MAX];
    lanes_call_check(count);
    for (size_t i = 0; i < count; i++) {
        call.sound[i] = is_sound_message(jobs[i]->message);
    }
    unsigned status = 0;
    if (lanes_call_begin(&call)) {
        ed25519_sign_component *to_r[LANES_MAX];
        ed25519_sign_component *to_s[LANES_MAX];
        const uint8_t *messages[LANES_MAX];
        uint32_t sizes[LANES_MAX];
        const ed25519_private_key *private_keys[LANES_MAX];
        const ed25519_public_key *public_keys[LANES_MAX];
        for (size_t i = 0; i < LANES_MAX; i++) {
            const struct lanes_ed25519_sign *job = jobs[call.source[i]];
            to_r[i] = &rs[i];
            to_s[i] = &ss[i];
            messages[i] = message_data(job->message);
            sizes[i] = (uint32_t)job->message.size;
            private_keys[i] = (const ed25519_private_key *)job->private_key;
            public_keys[i] = (const ed25519_public_key *)job->public_key;
        }
        status = mbx_ed25519_sign_mb8(to_r, to_s, messages, sizes, private_keys, public_keys);
    }
    for (size_t i = 0; i < count; i++) {
        jobs[i]->good = lanes_call_good(&call, status, i);
        memset(jobs[i]->signature, 0, sizeof jobs[i]->signature);
        if (jobs[i]->good) {
            memcpy(jobs[i]->signature, rs[i], SIZE);
            memcpy(jobs[i]->signature + SIZE, ss[i], SIZE);
        }
    }
    lanes_call_wipe_stack();
}

void lanes_ed25519_verify(struct lanes_ed25519_verify *const jobs[], size_t count) {
    struct lanes_call call = {.sound = {false}};
    lanes_call_check(count);
    for (size_t i = 0; i < count; i++) {
        call.sound[i] = is_sound_message(jobs[i]->message) && is_sound_key(jobs[i]->public_key) &&
                        is_sound_signature(jobs[i]->signature);
    }
    unsigned status = 0;
    if (lanes_call_begin(&call)) {
        const ed25519_sign_component *rs[LANES_MAX];
        const ed25519_sign_component *ss[LANES_MAX];
        const uint8_t *messages[LANES_MAX];
        uint32_t sizes[LANES_MAX];
        const ed25519_public_key *public_keys[LANES_MAX];
        for (size_t i = 0; i < LANES_MAX; i++) {
            const struct lanes_ed25519_verify *job = jobs[call.source[i]];
            rs[i] = (const ed25519_sign_component *)job->signature;
            ss[i] = (const ed25519_sign_component *)(job->signature + SIZE);
            messages[i] = message_data(job->message);
            sizes[i] = (uint32_t)job->message.size;
            public_keys[i] = (const ed25519_public_key *)job->public_key;
        }
        status = mbx_ed25519_verify_mb8(rs, ss, messages, sizes, public_keys);
    }
    for (size_t i = 0; i < count; i++) {
        jobs[i]->good = lanes_call_good(&call, status, i);
    }
}

#else /* crypto_mb is for x86-64 */

void lanes_ed25519_sign(struct lanes_ed25519_sign *const jobs[], size_t count) {
    lanes_call_check(count);
}

void lanes_ed25519_verify(struct lanes_ed25519_verify *const jobs[], size_t count) {
    lanes_call_check(count);
}

#endif
