#include "crypto/lanes_curve.h"

#include <criterion/criterion.h>

static void check_scalars(enum lanes_curve of) {
    const struct lanes_curve_numbers *curve = lanes_curve_numbers(of);
    lanes_word scalar[LANES_CURVE_WORDS_MAX];
    uint8_t octets[LANES_EC_SIZE_MAX + 1] = {0};
    cr_assert(!lanes_curve_read_scalar(curve, scalar, bytes_of(octets, curve->size)), "zero");
    cr_assert(!lanes_curve_read_scalar(curve, scalar, bytes_of(octets, 0)), "nothing");
    octets[0] = 1;
    cr_assert(lanes_curve_read_scalar(curve, scalar, bytes_of(octets, 1)), "one");
    cr_assert(!lanes_curve_read_scalar(curve, scalar, bytes_of(octets, curve->size + 1)), "too long");
    lanes_number_write(octets, curve->order, curve->words);
    cr_assert(!lanes_curve_read_scalar(curve, scalar, bytes_of(octets, curve->size)), "the order");
    octets[curve->size - 1]--;
    cr_assert(lanes_curve_read_scalar(curve, scalar, bytes_of(octets, curve->size)), "the order less 1");
}

static void check_points(enum lanes_curve of) {
    const struct lanes_curve_numbers *curve = lanes_curve_numbers(of);
    lanes_word x[LANES_CURVE_WORDS_MAX];
    lanes_word y[LANES_CURVE_WORDS_MAX];
    uint8_t octets[LANES_EC_POINT_MAX + 1] = {4};
    struct bytes whole = bytes_of(octets, 1 + 2 * curve->size);
    octets[curve->size] = 3;
    octets[2 * curve->size] = 2;
    cr_assert(lanes_curve_read_point(curve, x, y, whole) && x[0] == 3 && y[0] == 2);
    cr_assert(!lanes_curve_read_point(curve, x, y, bytes_of(octets, whole.size - 1)));
    cr_assert(!lanes_curve_read_point(curve, x, y, bytes_of(octets, whole.size + 1)));
    cr_assert(!lanes_curve_read_point(curve, x, y, bytes_of(octets, 0)));
    for (unsigned form = 0; form < 8; form++) {
        octets[0] = (uint8_t)form;
        cr_assert_eq(lanes_curve_read_point(curve, x, y, whole), form == 4, "%u", form);
    }
    octets[0] = 4;
    for (size_t at = 1; at < whole.size; at += curve->size) {
        lanes_number_write(octets + at, curve->prime, curve->words);
        cr_assert(!lanes_curve_read_point(curve, x, y, whole), "the prime");
        octets[at + curve->size - 1]--;
        cr_assert(lanes_curve_read_point(curve, x, y, whole), "the prime less 1");
    }
}

Test(lanes_curve, scalars_are_below_the_order) {
    check_scalars(LANES_P256);
    check_scalars(LANES_P384);
}

Test(lanes_curve, points_are_uncompressed) {
    check_points(LANES_P256);
    check_points(LANES_P384);
}
