#include "config/suggest.h"

#include <criterion/criterion.h>
#include <limits.h>

Test(suggest, slips_are_near) {
    cr_assert_eq(suggest_distance("limits", "limits"), 0);
    cr_assert_eq(suggest_distance("limts", "limits"), 1);
    cr_assert_eq(suggest_distance("lmiits", "limits"), 1);
    cr_assert_eq(suggest_distance("limitss", "limits"), 1);
    cr_assert_eq(suggest_distance("client-auth", "client_auth"), 1);
    cr_assert_eq(suggest_distance("certificat", "certificate"), 1);
}

Test(suggest, other_words_are_far) {
    cr_assert_gt(suggest_distance("certificate", "key"), SUGGEST_DISTANCE_MAX);
    cr_assert_eq(suggest_distance("ab", "ca"), UINT_MAX);
    cr_assert_eq(suggest_distance("", "ca"), UINT_MAX);
    cr_assert_eq(suggest_distance("x", ""), UINT_MAX);
    cr_assert_eq(suggest_distance("0123456789012345678901234567890123456789x", "limits"), UINT_MAX);
    cr_assert_gt(suggest_distance("0123456789012345678901234567890123456789", "limits"), SUGGEST_DISTANCE_MAX);
}

Test(suggest, names_of_parts) {
    cr_assert_eq(suggest_rank("Subject_CN", "subject.cn"), 0);
    cr_assert_lt(suggest_rank("cn", "subject.cn"), suggest_rank("subject", "subject.cn"));
    cr_assert_lt(suggest_rank("subject", "subject.cn"), suggest_rank("subjct.cn", "subject.cn"));
    cr_assert_lt(suggest_rank("subjct.cn", "subject.cn"), UINT_MAX);
    cr_assert_eq(suggest_rank("cause", "subject.cn"), UINT_MAX);
    cr_assert_eq(suggest_rank("", "ski"), UINT_MAX);
    cr_assert_eq(suggest_rank("--", "ski"), UINT_MAX);
    cr_assert_eq(suggest_rank("clientAuth", "client_auth"), 0);
}
