#include "relay/ejection.h"

#include <criterion/criterion.h>

static void fail(struct ejection *ejection, unsigned times) {
    for (unsigned i = 0; i < times; i++) {
        cr_assert_not(ejection_fail(ejection));
    }
}

Test(ejection, failures_count_in_a_row) {
    struct ejection ejection = {0};

    fail(&ejection, EJECTION_FAILURES - 1);
    ejection_succeed(&ejection);
    fail(&ejection, EJECTION_FAILURES - 1);
    cr_assert(ejection_fail(&ejection));
    cr_assert(ejection_fail(&ejection), "as long as it is not ejected");
}

Test(ejection, lasts_its_time_and_begins_anew) {
    struct ejection ejection = {0};

    cr_assert_not(ejection_holds(&ejection, 0));
    fail(&ejection, EJECTION_FAILURES - 1);
    cr_assert(ejection_fail(&ejection));
    cr_assert_eq(ejection_begin(&ejection, 1000), EJECTION_STEP_MS);
    cr_assert(ejection_holds(&ejection, 1000));
    cr_assert(ejection_holds(&ejection, 10999));
    cr_assert_not(ejection_holds(&ejection, 11000));
    fail(&ejection, EJECTION_FAILURES - 1);
    cr_assert(ejection_fail(&ejection));
}

Test(ejection, grows_to_a_bound) {
    struct ejection ejection = {0};
    uint64_t now_ms = 1000;

    for (uint32_t i = 1; i <= 40; i++) {
        uint32_t expected = i < 30 ? i * EJECTION_STEP_MS : EJECTION_MAX_MS;

        cr_assert_eq(ejection_begin(&ejection, now_ms), expected);
        now_ms += expected;
    }
}

Test(ejection, is_forgotten) {
    struct ejection ejection = {0};

    ejection_begin(&ejection, 1000);
    cr_assert_eq(ejection_begin(&ejection, 11000 + EJECTION_MAX_MS - 1), 2 * EJECTION_STEP_MS);
    cr_assert_eq(ejection_begin(&ejection, ejection.until_ms + EJECTION_MAX_MS), EJECTION_STEP_MS);
}
