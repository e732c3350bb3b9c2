#include "base/hash.h"
#include "crypto/p256.h"
#include "crypto/p256_keys.h"
#include "reference.h"

#include <criterion/criterion.h>
#include <pthread.h>

enum { SIZE = 32, POINT_SIZE = 65 };

/* A key's point, and a signature by it. */
struct sample {
    uint8_t point[LANES_EC_POINT_MAX];
    uint8_t r[LANES_EC_SIZE_MAX];
    uint8_t s[LANES_EC_SIZE_MAX];
};

static const uint8_t digest[SIZE] = {1, 2, 3};
static struct p256_keys *keys;

static void set_up(void) {
    static bool is_ready;
    if (!p256_supported()) {
        cr_skip_test("this processor has no BMI2 or no ADX");
    }
    if (!is_ready) {
        hash_init();
        is_ready = true;
    }
    keys = p256_keys_create();
    cr_assert_not_null(keys);
}

static void tear_down(void) {
    p256_keys_destroy(keys);
}

/* Each number has a key of its own. */
static struct sample make_sample(uint32_t number) {
    struct sample sample;
    uint8_t private_key[SIZE] = {0};
    memcpy(private_key + 8, &number, sizeof number);
    private_key[SIZE - 1] = 1;
    cr_assert(reference_ecdh_public(LANES_P256, private_key, sample.point));
    cr_assert(reference_ecdsa_sign(LANES_P256, bytes_of(digest, SIZE), private_key, sample.r, sample.s));
    return sample;
}

/* Gives the sample the key of another number, none of which make_sample has. */
static void give_other_key(struct sample *sample, uint32_t number) {
    uint8_t private_key[SIZE] = {[0] = 1};
    memcpy(private_key + 8, &number, sizeof number);
    cr_assert(reference_ecdh_public(LANES_P256, private_key, sample->point));
}

static bool verify(const struct sample *sample) {
    struct lanes_ecdsa_verify job = {.digest = bytes_of(digest, SIZE),
                                     .point = bytes_of(sample->point, POINT_SIZE),
                                     .r = bytes_of(sample->r, SIZE),
                                     .s = bytes_of(sample->s, SIZE)};
    cr_assert(p256_keys_verify(&job));
    return job.good;
}

/* Has the table look for a key, for a signature that is refused before anything is computed. */
static void meet(const struct sample *sample) {
    struct lanes_ecdsa_verify job = {.digest = bytes_of(digest, SIZE), .point = bytes_of(sample->point, POINT_SIZE)};
    cr_assert(p256_keys_verify(&job));
    cr_assert_not(job.good);
}

static void expect_counts(uint64_t noted, uint64_t made, uint64_t found) {
    struct p256_keys_counts counts = p256_keys_count(keys);
    cr_assert_eq(counts.noted, noted, "%llu noted", (unsigned long long)counts.noted);
    cr_assert_eq(counts.made, made, "%llu made", (unsigned long long)counts.made);
    cr_assert_eq(counts.found, found, "%llu found", (unsigned long long)counts.found);
}

Test(p256_keys, a_key_is_found_again, .init = set_up, .fini = tear_down) {
    struct sample one = make_sample(1);
    struct sample other = make_sample(2);
    for (unsigned i = 0; i < 3; i++) {
        cr_assert(verify(&one));
        cr_assert(verify(&other));
    }
    expect_counts(2, 2, 2);
}

Test(p256_keys, a_known_key_vouches_for_no_other_signature, .init = set_up, .fini = tear_down) {
    struct sample one = make_sample(1);
    struct sample other = make_sample(2);
    cr_assert(verify(&one));
    memcpy(one.r, other.r, sizeof one.r);
    memcpy(one.s, other.s, sizeof one.s);
    for (unsigned i = 0; i < 3; i++) {
        cr_assert_not(verify(&one));
    }
    expect_counts(1, 1, 2);
}

Test(p256_keys, what_is_no_key_is_not_kept, .init = set_up, .fini = tear_down) {
    struct sample sample = make_sample(1);
    sample.point[POINT_SIZE - 1] ^= 1;
    cr_assert_not(verify(&sample));
    cr_assert_not(verify(&sample));
    expect_counts(0, 0, 0);
    struct lanes_ecdsa_verify job = {.digest = bytes_of(digest, SIZE), .point = bytes_of(sample.point, 0)};
    cr_assert(p256_keys_verify(&job));
    cr_assert_not(job.good);
    expect_counts(0, 0, 0);
}

/* More strangers than there is room: those who return keep their places, but for a few whose sets are crowded. */
Test(p256_keys, strangers_do_not_drive_out_those_who_return, .init = set_up, .fini = tear_down, .timeout = 300) {
    enum { RETURNING = 1000, STRANGERS = 2 * P256_KEYS_MAX };
    static struct sample returning[RETURNING];
    for (uint32_t i = 0; i < RETURNING; i++) {
        returning[i] = make_sample(i);
        meet(&returning[i]);
        meet(&returning[i]);
    }
    struct p256_keys_counts before = p256_keys_count(keys);
    struct sample stranger = make_sample(RETURNING);
    for (uint32_t i = 0; i < STRANGERS; i++) {
        give_other_key(&stranger, i);
        meet(&stranger);
    }
    cr_assert_eq(p256_keys_count(keys).noted, before.noted + STRANGERS);
    for (uint32_t i = 0; i < RETURNING; i++) {
        cr_assert(verify(&returning[i]));
    }
    uint64_t lost = p256_keys_count(keys).noted - before.noted - STRANGERS;
    cr_assert_leq(lost, RETURNING / 50, "%llu lost", (unsigned long long)lost);
}

/*
 * Keys that came back and never come again give their places to others, also where these come in a fixed order, in which two
 * that share the one place that is left never meet it again.
 */
Test(p256_keys, those_who_stay_away_are_forgotten, .init = set_up, .fini = tear_down, .timeout = 300) {
    enum { GONE = P256_KEYS_MAX * 2, PRESENT = 2000, ROUNDS = 150, LAST = 10 };
    static struct sample present[PRESENT];
    struct sample gone = make_sample(PRESENT);
    for (uint32_t i = 0; i < GONE; i++) {
        give_other_key(&gone, i);
        meet(&gone);
        meet(&gone);
    }
    for (uint32_t i = 0; i < PRESENT; i++) {
        present[i] = make_sample(i);
    }
    uint64_t found = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        if (round == ROUNDS - LAST) {
            found = p256_keys_count(keys).found;
        }
        for (uint32_t i = 0; i < PRESENT; i++) {
            meet(&present[i]);
        }
    }
    found = p256_keys_count(keys).found - found;
    cr_assert_geq(found, (uint64_t)PRESENT * LAST * 98 / 100, "%llu found", (unsigned long long)found);
}

static void *verify_elsewhere(void *unused) {
    struct lanes_ecdsa_verify job = {.digest = bytes_of(digest, SIZE)};
    bool *computed = malloc(sizeof *computed);
    *computed = p256_keys_verify(&job);
    return computed;
}

Test(p256_keys, a_thread_without_a_table_is_told_so, .init = set_up, .fini = tear_down) {
    pthread_t thread;
    bool *computed;
    cr_assert_eq(pthread_create(&thread, NULL, verify_elsewhere, NULL), 0);
    cr_assert_eq(pthread_join(thread, (void **)&computed), 0);
    cr_assert_not(*computed);
    free(computed);
}

Test(p256_keys, a_table_can_be_made_again) {
    set_up();
    tear_down();
    set_up();
    struct sample sample = make_sample(1);
    cr_assert(verify(&sample));
    expect_counts(1, 0, 0);
    tear_down();
    p256_keys_destroy(NULL);
}
