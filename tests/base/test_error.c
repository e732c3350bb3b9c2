#include "base/error.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <string.h>

Test(error, has_the_text_that_was_set_last) {
    struct error error = {""};
    error_set(&error, "%s %d", "block", 3);
    cr_assert_str_eq(error.text, "block 3");
    cr_assert_eq(error_fail(&error, -ENOMEM, "out of %s", "memory"), -ENOMEM);
    cr_assert_str_eq(error.text, "out of memory");
}

Test(error, its_own_text_may_be_part_of_the_new_one) {
    struct error error = {"no such file"};
    error_set(&error, "host %s: %s", "a", error.text);
    cr_assert_str_eq(error.text, "host a: no such file");
    cr_assert_eq(error_fail(&error, -EINVAL, "line %u: %s", 7u, error.text), -EINVAL);
    cr_assert_str_eq(error.text, "line 7: host a: no such file");
}

Test(error, what_does_not_fit_is_cut) {
    struct error error = {""};
    char much[2 * ERROR_SIZE];
    memset(much, 'x', sizeof much - 1);
    much[sizeof much - 1] = '\0';
    error_set(&error, "%s", much);
    cr_assert_eq(strlen(error.text), ERROR_SIZE - 1);
    error_set(&error, "more: %s", error.text);
    cr_assert_eq(strlen(error.text), ERROR_SIZE - 1);
    cr_assert_eq(strncmp(error.text, "more: xxx", 9), 0);
}

Test(error, no_failure_is_a_success, .signal = SIGABRT) {
    struct error error = {""};
    error_fail(&error, 0, "nothing");
}
