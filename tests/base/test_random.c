#include "base/random.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b) {
    return memcmp(a, b, 2 * sizeof(uint64_t));
}

Test(random, gives_nothing_twice_across_many_stocks) {
    enum { COUNT = 4096 };
    static uint64_t given[COUNT][2];
    static const uint8_t zeros[sizeof given[0]];
    struct random_stock stock = {0};
    for (size_t i = 0; i < COUNT; i++) {
        random_take(&stock, given[i]);
        cr_assert_eq(memcmp(stock.bytes + stock.left, zeros, sizeof zeros), 0, "given bytes are not kept");
    }
    qsort(given, COUNT, sizeof given[0], compare);
    for (size_t i = 1; i < COUNT; i++) {
        cr_assert_neq(memcmp(given[i - 1], given[i], sizeof given[0]), 0);
    }
}

/* A counter, or a fixed half, would leave bits that never change. */
Test(random, changes_every_bit) {
    struct random_stock stock = {0};
    uint64_t ones[2] = {0, 0};
    uint64_t zeros[2] = {0, 0};
    for (size_t i = 0; i < 256; i++) {
        uint64_t words[2];
        random_take(&stock, words);
        for (size_t word = 0; word < 2; word++) {
            ones[word] |= words[word];
            zeros[word] |= ~words[word];
        }
    }
    cr_assert_eq(ones[0] & ones[1] & zeros[0] & zeros[1], UINT64_MAX);
}

Test(random, two_stocks_have_nothing_in_common) {
    struct random_stock stocks[2] = {{{0}, 0}, {{0}, 0}};
    uint64_t words[2][2];
    random_take(&stocks[0], words[0]);
    random_take(&stocks[1], words[1]);
    cr_assert_neq(memcmp(words[0], words[1], sizeof words[0]), 0);
    cr_assert_neq(memcmp(stocks[0].bytes, stocks[1].bytes, stocks[0].left), 0);
}

/* No byte stays as it was, and none behind is touched. */
Test(random, fills_any_size) {
    enum { SIZE_MAX_TESTED = 3 * RANDOM_STOCK_SIZE + 1 };
    for (size_t size = 0; size < SIZE_MAX_TESTED; size += 1 + size / 3) {
        uint8_t changed[SIZE_MAX_TESTED + 1] = {0};
        uint8_t bytes[SIZE_MAX_TESTED + 1];
        for (size_t round = 0; round < 16; round++) {
            memset(bytes, 0, sizeof bytes);
            random_fill(bytes, size);
            for (size_t i = 0; i < sizeof bytes; i++) {
                changed[i] |= bytes[i];
            }
        }
        for (size_t i = 0; i < sizeof bytes; i++) {
            cr_assert_eq(changed[i] != 0, i < size, "byte %zu of %zu", i, size);
        }
    }
}

Test(random, gives_each_number_below_a_bound) {
    struct random_stock stock = {0};
    unsigned seen = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t number = random_below(&stock, 5);
        cr_assert_lt(number, 5);
        seen |= 1U << number;
    }
    cr_assert_eq(seen, 31);
    cr_assert_eq(random_below(&stock, 1), 0);
}
