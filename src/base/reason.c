#include "base/reason.h"

#include "base/check.h"

static const char *const reason_names[] = {
    [REASON_OK] = "ok",
    [REASON_ABSENT] = "absent",
    [REASON_MALFORMED] = "malformed",
    [REASON_TOO_LARGE] = "too_large",
    [REASON_CHAIN_TOO_LONG] = "chain_too_long",
    [REASON_UNKNOWN_ISSUER] = "unknown_issuer",
    [REASON_BAD_SIGNATURE] = "bad_signature",
    [REASON_EXPIRED] = "expired",
    [REASON_NOT_YET_VALID] = "not_yet_valid",
    [REASON_REVOKED] = "revoked",
    [REASON_CRL_STALE] = "crl_stale",
    [REASON_CRL_MISSING] = "crl_missing",
    [REASON_WRONG_USAGE] = "wrong_usage",
    [REASON_NOT_A_CA] = "not_a_ca",
    [REASON_PATH_LENGTH] = "path_length",
    [REASON_NAME_CONSTRAINT] = "name_constraint",
    [REASON_UNSUPPORTED_CRITICAL_EXTENSION] = "unsupported_critical_extension",
    [REASON_WEAK_KEY] = "weak_key",
    [REASON_WEAK_SIGNATURE] = "weak_signature",
};
_Static_assert(ARRAY_LENGTH(reason_names) == REASON_COUNT, "each reason has a name");

static const char *const status_names[] = {
    [STATUS_NONE] = "none",
    [STATUS_VALID] = "valid",
    [STATUS_INVALID] = "invalid",
};
_Static_assert(ARRAY_LENGTH(status_names) == STATUS_COUNT, "each status has a name");

const char *reason_name(enum reason reason) {
    CHECK((unsigned)reason < REASON_COUNT);
    return reason_names[reason];
}

const char *status_name(enum status status) {
    CHECK((unsigned)status < STATUS_COUNT);
    return status_names[status];
}

enum status reason_status(enum reason reason) {
    CHECK((unsigned)reason < REASON_COUNT);
    switch (reason) {
    case REASON_OK:
        return STATUS_VALID;
    case REASON_ABSENT:
        return STATUS_NONE;
    default:
        return STATUS_INVALID;
    }
}
