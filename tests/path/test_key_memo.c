#include "path/key_memo.h"
#include "support.h"

static struct key_memo memo;
/* A digest for each number; only read once the threads run. */
static uint8_t keys[256][SIGNATURE_SHA256_SIZE];

static void setup(void) {
    key_memo_init(&memo);
    for (unsigned i = 0; i < 256; i++) {
        keys[i][SIGNATURE_SHA256_SIZE - 1] = (uint8_t)i;
    }
}

static void teardown(void) {
    key_memo_destroy(&memo);
}

TestSuite(key_memo, .init = setup, .fini = teardown);

static const uint8_t *key(uint8_t number) {
    return keys[number];
}

Test(key_memo, remembers_both_answers) {
    bool holds;
    cr_assert(!key_memo_find(&memo, key(1), &holds));
    key_memo_add(&memo, key(1), true);
    key_memo_add(&memo, key(2), false);
    cr_assert(key_memo_find(&memo, key(1), &holds) && holds);
    cr_assert(key_memo_find(&memo, key(2), &holds) && !holds);
    cr_assert(!key_memo_find(&memo, key(3), &holds));
}

Test(key_memo, keeps_a_few_and_no_more) {
    for (uint8_t i = 0; i < 2 * KEY_MEMO_MAX; i++) {
        key_memo_add(&memo, key(i), i % 2 == 0);
    }
    bool holds;
    for (uint8_t i = 0; i < 2 * KEY_MEMO_MAX; i++) {
        bool found = key_memo_find(&memo, key(i), &holds);
        cr_expect(found == (i < KEY_MEMO_MAX) && (!found || holds == (i % 2 == 0)), "%u", i);
    }
}

Test(key_memo, an_allowance_runs_out) {
    struct key_allowance allowance = {.left = 2};
    cr_assert(key_allowance_take(&allowance) && key_allowance_take(&allowance) && !allowance.exceeded);
    cr_assert(!key_allowance_take(&allowance) && allowance.exceeded && allowance.left == 0);
}

static void *add_many(void *argument) {
    for (unsigned round = 0; round < 1000; round++) {
        uint8_t number = (uint8_t)(round % 16);
        bool holds;
        if (key_memo_find(&memo, key(number), &holds)) {
            cr_assert_eq(holds, number % 2 == 0);
        } else {
            key_memo_add(&memo, key(number), number % 2 == 0);
        }
    }
    return argument;
}

Test(key_memo, may_be_filled_by_many_threads) {
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, add_many, NULL), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    cr_assert_eq(atomic_load(&memo.count), KEY_MEMO_MAX);
    for (unsigned i = 0; i < KEY_MEMO_MAX; i++) {
        for (unsigned j = 0; j < i; j++) {
            cr_expect(memcmp(memo.entries[i].key, memo.entries[j].key, SIGNATURE_SHA256_SIZE) != 0, "%u and %u", i, j);
        }
    }
}
