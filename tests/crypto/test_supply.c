#include "crypto/batch.h"
#include "crypto/supply.h"
#include "reference.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>

static struct supply *supply;

static void begin(void) {
    supply = supply_create();
    if (supply == NULL) {
        cr_skip_test("this processor has no AVX-512 IFMA, or SALLYPORT_CRYPTO is single");
    }
}

static void end(void) {
    supply_destroy(supply);
}

TestSuite(supply, .init = begin, .fini = end);

enum { MANY = 100 };

static int compare(const void *a, const void *b) {
    return memcmp(a, b, LANES_EC_SIZE_MAX);
}

/* No two of them are equal. */
static void check_unique(uint8_t (*numbers)[LANES_EC_SIZE_MAX]) {
    qsort(numbers, MANY, sizeof *numbers, compare);
    for (size_t i = 1; i < MANY; i++) {
        cr_assert_neq(compare(numbers[i - 1], numbers[i]), 0);
    }
}

Test(supply, x25519_keys_belong_together_and_come_once) {
    uint8_t keys[MANY][LANES_EC_SIZE_MAX] = {{0}};
    uint8_t public_key[LANES_X25519_SIZE];

    cr_assert_not(supply_take_x25519(keys[0], public_key), "the first use only begins it");
    for (size_t i = 0; i < MANY; i++) {
        uint8_t expected[LANES_X25519_SIZE];

        cr_assert(supply_take_x25519(keys[i], public_key));
        cr_assert_eq(keys[i][0] & 7, 0);
        cr_assert_eq(keys[i][31] >> 6, 1);
        reference_x25519_public(keys[i], expected);
        cr_assert_arr_eq(public_key, expected, sizeof expected);
    }
    check_unique(keys);
}

static void check_ec_keys(enum lanes_curve curve) {
    uint8_t keys[MANY][LANES_EC_SIZE_MAX] = {{0}};
    uint8_t point[LANES_EC_POINT_MAX];

    cr_assert_not(supply_take_ec_key(curve, keys[0], point));
    for (size_t i = 0; i < MANY; i++) {
        uint8_t expected[LANES_EC_POINT_MAX];

        cr_assert(supply_take_ec_key(curve, keys[i], point));
        cr_assert(reference_ecdh_public(curve, keys[i], expected));
        cr_assert_arr_eq(point, expected, 1 + 2 * reference_ec_size(curve));
    }
    check_unique(keys);
}

Test(supply, ec_keys_belong_together_and_come_once) {
    check_ec_keys(LANES_P256);
    check_ec_keys(LANES_P384);
}

/* r is the nonce's alone: no two signatures may have the same, whatever the digest. */
static void check_signatures(enum lanes_curve curve) {
    uint8_t key[LANES_EC_SIZE_MAX];
    uint8_t point[LANES_EC_POINT_MAX];
    uint8_t digest[32] = {1};
    uint8_t signature[2 * LANES_EC_SIZE_MAX];
    uint8_t rs[MANY][LANES_EC_SIZE_MAX] = {{0}};
    size_t size = reference_ec_size(curve);

    memset(key, 0x7f, sizeof key);
    cr_assert(reference_ecdh_public(curve, key, point));
    cr_assert_not(supply_sign(curve, bytes_of(digest, sizeof digest), key, signature));
    for (size_t i = 0; i < MANY; i++) {
        digest[1] = (uint8_t)(i / 2);
        cr_assert(supply_sign(curve, bytes_of(digest, sizeof digest), key, signature));
        cr_assert(reference_ecdsa_verify(curve, bytes_of(digest, sizeof digest), bytes_of(point, 1 + 2 * size),
                                         bytes_of(signature, size), bytes_of(signature + size, size)));
        memcpy(rs[i], signature, size);
    }
    check_unique(rs);
}

Test(supply, signs_with_each_nonce_once) {
    check_signatures(LANES_P256);
    check_signatures(LANES_P384);
}

/* A digest that cannot be signed takes no nonce that a later signature has. */
Test(supply, refuses_what_is_no_digest_and_goes_on) {
    static const uint8_t zeros[32];
    uint8_t key[LANES_EC_SIZE_MAX];
    uint8_t digest[32] = {1};
    uint8_t signature[2 * LANES_EC_SIZE_MAX];

    memset(key, 0x7f, sizeof key);
    supply_sign(LANES_P256, bytes_of(digest, sizeof digest), key, signature);
    cr_assert_not(supply_sign(LANES_P256, bytes_of(zeros, sizeof zeros), key, signature));
    for (size_t i = 0; i < sizeof signature; i++) {
        cr_assert_eq(signature[i], 0);
    }
    cr_assert(supply_sign(LANES_P256, bytes_of(digest, sizeof digest), key, signature));
}

static void take_keys(size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint8_t private_key[LANES_X25519_SIZE];
        uint8_t public_key[LANES_X25519_SIZE];

        supply_take_x25519(private_key, public_key);
    }
}

Test(supply, is_low_with_less_than_eight_and_made_ahead_for_what_is_in_use) {
    cr_assert_not(supply_is_low(supply), "nothing is in use");
    take_keys(1);
    cr_assert(supply_is_low(supply));
    supply_replenish(supply);
    cr_assert(supply_is_low(supply), "there is room for eight more");
    supply_replenish(supply);
    cr_assert_not(supply_is_low(supply));
    take_keys(7);
    cr_assert_not(supply_is_low(supply));
    take_keys(1);
    cr_assert(supply_is_low(supply));
    supply_replenish(supply);
    cr_assert_not(supply_is_low(supply));
}

/* Making costs nobody; each that takes is charged for an eighth of a call, and no more than twice what a call has cost. */
Test(supply, charges_those_who_take) {
    take_keys(1);
    uint64_t before_ns = batch_clock_ns();
    supply_replenish(supply);
    uint64_t making_ns = batch_clock_ns() - before_ns;
    struct timespec real_began;
    struct timespec real_ended;
    clock_gettime(CLOCK_MONOTONIC, &real_began);
    before_ns = batch_clock_ns();
    take_keys(8);
    uint64_t charged_ns = batch_clock_ns() - before_ns;
    clock_gettime(CLOCK_MONOTONIC, &real_ended);
    uint64_t real_ns = (uint64_t)(real_ended.tv_sec - real_began.tv_sec) * 1000000000 + (uint64_t)real_ended.tv_nsec -
                       (uint64_t)real_began.tv_nsec;

    cr_assert_gt(charged_ns, real_ns + 1000, "eight X25519 keys take more than a microsecond");
    cr_assert_lt(making_ns, (charged_ns - real_ns), "what they cost was charged when they were made");
}

static void *take_elsewhere(void *unused) {
    uint8_t private_key[LANES_X25519_SIZE];
    uint8_t public_key[LANES_X25519_SIZE];

    return supply_take_x25519(private_key, public_key) || supply_take_x25519(private_key, public_key) ? &supply : NULL;
}

Test(supply, is_its_threads_alone) {
    pthread_t thread;
    void *took;

    take_keys(2);
    cr_assert_eq(pthread_create(&thread, NULL, take_elsewhere, NULL), 0);
    cr_assert_eq(pthread_join(thread, &took), 0);
    cr_assert_null(took);
}
