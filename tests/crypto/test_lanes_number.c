#include "crypto/lanes_number.h"

#include <criterion/criterion.h>

enum { WORDS = 4 };

static const uint8_t sample[32] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b,
                                   0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16,
                                   0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f, 0x20};

Test(lanes_number, reads_and_writes) {
    lanes_word number[WORDS];
    uint8_t written[32];
    cr_assert(lanes_number_read(number, WORDS, bytes_of(sample, 32)));
    cr_assert(number[0] == 0x191a1b1c1d1e1f20 && number[3] == 0x0102030405060708);
    lanes_number_write(written, number, WORDS);
    cr_assert_arr_eq(written, sample, 32);
}

Test(lanes_number, reads_every_shorter_size) {
    for (size_t size = 0; size <= 32; size++) {
        lanes_word number[WORDS];
        uint8_t written[32];
        cr_assert(lanes_number_read(number, WORDS, bytes_of(sample, size)));
        lanes_number_write(written, number, WORDS);
        for (size_t i = 0; i < 32; i++) {
            cr_assert_eq(written[i], i < 32 - size ? 0 : sample[i - (32 - size)], "%zu", size);
        }
    }
}

Test(lanes_number, refuses_what_has_no_room) {
    lanes_word number[WORDS] = {1, 2, 3, 4};
    uint8_t long_number[33] = {0};
    cr_assert(!lanes_number_read(number, WORDS, bytes_of(long_number, sizeof long_number)));
    cr_assert(lanes_number_is_zero(number, WORDS));
}

Test(lanes_number, compares) {
    const lanes_word zero[WORDS] = {0};
    const lanes_word low[WORDS] = {1};
    const lanes_word high[WORDS] = {0, 0, 0, 1};
    const lanes_word more[WORDS] = {~0ull, ~0ull, ~0ull, 1};
    cr_assert(lanes_number_is_zero(zero, WORDS) && !lanes_number_is_zero(low, WORDS) && !lanes_number_is_zero(high, WORDS));
    cr_assert(lanes_number_is_less(zero, low, WORDS) && !lanes_number_is_less(low, zero, WORDS));
    cr_assert(lanes_number_is_less(low, high, WORDS) && !lanes_number_is_less(high, low, WORDS));
    cr_assert(lanes_number_is_less(high, more, WORDS) && !lanes_number_is_less(more, high, WORDS));
    cr_assert(!lanes_number_is_less(more, more, WORDS));
}

Test(lanes_number, adds) {
    const lanes_word a[WORDS] = {~0ull, 1, ~0ull, 1ull << 63};
    const lanes_word b[WORDS] = {1, ~0ull, 5, 1ull << 63};
    lanes_word sum[WORDS];
    cr_assert_eq(lanes_number_add(sum, a, b, WORDS), 1);
    cr_assert(sum[0] == 0 && sum[1] == 1 && sum[2] == 5 && sum[3] == 1);
    cr_assert_eq(lanes_number_add(sum, sum, sum, WORDS), 0);
    cr_assert(sum[0] == 0 && sum[1] == 2 && sum[2] == 10 && sum[3] == 2);
    lanes_word in_place[WORDS];
    memcpy(in_place, a, sizeof a);
    cr_assert_eq(lanes_number_add(in_place, in_place, b, WORDS), 1);
    cr_assert(in_place[0] == 0 && in_place[1] == 1 && in_place[2] == 5 && in_place[3] == 1);
    memcpy(in_place, b, sizeof b);
    cr_assert_eq(lanes_number_add(in_place, a, in_place, WORDS), 1);
    cr_assert(in_place[0] == 0 && in_place[1] == 1 && in_place[2] == 5 && in_place[3] == 1);
}

Test(lanes_number, reduces_once) {
    const lanes_word modulus[WORDS] = {5, 0, ~0ull, 7};
    lanes_word below[WORDS] = {4, 0, ~0ull, 7};
    lanes_word equal[WORDS] = {5, 0, ~0ull, 7};
    lanes_word above[WORDS] = {3, 0, 0, 8};
    lanes_number_reduce_once(below, modulus, WORDS);
    cr_assert(below[0] == 4 && below[1] == 0 && below[2] == ~0ull && below[3] == 7);
    lanes_number_reduce_once(equal, modulus, WORDS);
    cr_assert(lanes_number_is_zero(equal, WORDS));
    lanes_number_reduce_once(above, modulus, WORDS);
    cr_assert(above[0] == ~0ull - 1 && above[1] == ~0ull && above[2] == 0 && above[3] == 0);
}
