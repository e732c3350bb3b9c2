#include "support.h"
#include "x509/algorithm.h"

static bool is_read(struct bytes in, struct algorithm *algorithm) {
    return algorithm_read(&in, algorithm) && in.size == 0;
}

Test(algorithm, has_parameters_or_none) {
    struct algorithm with;
    struct algorithm without;
    cr_assert(is_read(SUPPORT_BYTES("\x30\x06\x06\x02\x2a\x03\x05\x00"), &with));
    cr_assert(bytes_equal(with.oid, SUPPORT_BYTES("\x2a\x03")) && bytes_equal(with.parameters, SUPPORT_BYTES("\x05\x00")));
    cr_assert(is_read(SUPPORT_BYTES("\x30\x04\x06\x02\x2a\x03"), &without));
    cr_assert_eq(without.parameters.size, 0);
    cr_assert(algorithm_equal(&with, &with) && algorithm_equal(&without, &without) && !algorithm_equal(&with, &without));
}

Test(algorithm, is_an_oid_and_at_most_one_element) {
    struct algorithm algorithm;
    cr_assert(!is_read(SUPPORT_BYTES("\x30\x00"), &algorithm));
    cr_assert(!is_read(SUPPORT_BYTES("\x30\x04\x06\x02\x2a\x83"), &algorithm), "no OID");
    cr_assert(!is_read(SUPPORT_BYTES("\x30\x08\x06\x02\x2a\x03\x05\x00\x05\x00"), &algorithm), "two");
    cr_assert(!is_read(SUPPORT_BYTES("\x31\x04\x06\x02\x2a\x03"), &algorithm), "no SEQUENCE");
}
