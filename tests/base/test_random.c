#include "base/random.h"

#include <criterion/criterion.h>
#include <stdlib.h>

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
