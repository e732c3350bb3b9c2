#include "base/check.h"
#include "base/reason.h"

#include <criterion/criterion.h>
#include <signal.h>

/* The contract's list, in its order. */
static const char *const contract[] = {
    "ok",
    "absent",
    "malformed",
    "too_large",
    "chain_too_long",
    "unknown_issuer",
    "bad_signature",
    "expired",
    "not_yet_valid",
    "revoked",
    "crl_stale",
    "crl_missing",
    "wrong_usage",
    "not_a_ca",
    "path_length",
    "name_constraint",
    "unsupported_critical_extension",
    "weak_key",
    "weak_signature",
};

Test(reason, names_are_the_contracts) {
    cr_assert_eq(ARRAY_LENGTH(contract), REASON_COUNT);
    for (unsigned i = 0; i < REASON_COUNT; i++) {
        cr_assert_str_eq(reason_name((enum reason)i), contract[i]);
    }
}

Test(reason, only_ok_is_valid_and_only_absent_is_none) {
    for (unsigned i = 0; i < REASON_COUNT; i++) {
        const char *expected = i == REASON_OK ? "valid" : i == REASON_ABSENT ? "none" : "invalid";
        cr_assert_str_eq(status_name(reason_status((enum reason)i)), expected, "%s", contract[i]);
    }
}

Test(reason, one_past_the_end_has_no_name, .signal = SIGABRT) {
    reason_name(REASON_COUNT);
}

Test(reason, one_past_the_end_has_no_status, .signal = SIGABRT) {
    reason_status(REASON_COUNT);
}
