#include "base/bits.h"

#include <criterion/criterion.h>

Test(bits, have_what_was_added_in_any_word) {
    static const size_t numbers[] = {0, 63, 64, 511, BITS_MAX - 1};
    struct bits bits = {0};

    cr_assert_eq(bits_count(&bits), 0);
    cr_assert_eq(bits_next(&bits, 0), BITS_MAX);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        bits_add(&bits, numbers[i]);
        cr_expect(bits_has(&bits, numbers[i]));
        cr_expect_eq(bits_count(&bits), i + 1);
    }
    cr_expect_not(bits_has(&bits, 1));
    size_t found = 0;
    for (size_t number = bits_next(&bits, 0); number < BITS_MAX; number = bits_next(&bits, number + 1)) {
        cr_expect_eq(number, numbers[found++]);
    }
    cr_expect_eq(found, 5);
    bits_remove(&bits, 64);
    cr_expect_not(bits_has(&bits, 64));
    cr_expect_eq(bits_next(&bits, 64), 511);
    cr_expect_eq(bits_count(&bits), 4);
    cr_expect_eq(bits_next(&bits, BITS_MAX), BITS_MAX);
}

Test(bits, of_two_sets) {
    struct bits low = {{1, 3}}, both = {{3, 6}};
    struct bits kept = low, left = low;

    bits_keep(&kept, &both);
    cr_expect(kept.words[0] == 1 && kept.words[1] == 2);
    bits_take_out(&left, &both);
    cr_expect(left.words[0] == 0 && left.words[1] == 1);
}
