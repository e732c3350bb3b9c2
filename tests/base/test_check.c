#include "base/check.h"

#include <criterion/criterion.h>
#include <signal.h>

struct outer {
    int before;
    int member;
};

Test(check, a_true_condition_goes_on_and_is_evaluated_once) {
    int evaluated = 0;
    CHECK(++evaluated == 1);
    cr_assert_eq(evaluated, 1);
}

Test(check, a_false_condition_aborts, .signal = SIGABRT) {
    CHECK(1 + 1 == 3);
}

Test(check, container_of_finds_the_object_around_a_member) {
    struct outer object = {0};
    cr_assert_eq(CONTAINER_OF(&object.member, struct outer, member), &object);
}

Test(check, array_length_counts_elements) {
    static const int numbers[7];
    cr_assert_eq(ARRAY_LENGTH(numbers), 7);
}
