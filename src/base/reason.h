/* The contract's words for the reason of a status, in headers, logs, metric labels and on the command line. */
#ifndef BASE_REASON_H
#define BASE_REASON_H

#include "base/bytes.h"

/* ROW(NAME, text) is one reason: REASON_NAME, and the word for it. */
#define REASONS(ROW)                                                                                                        \
    ROW(OK, "ok")                                                                                                           \
    ROW(ABSENT, "absent")                                                                                                   \
    ROW(MALFORMED, "malformed")                                                                                             \
    ROW(TOO_LARGE, "too_large")                                                                                             \
    ROW(CHAIN_TOO_LONG, "chain_too_long")                                                                                   \
    ROW(UNKNOWN_ISSUER, "unknown_issuer")                                                                                   \
    ROW(BAD_SIGNATURE, "bad_signature")                                                                                     \
    ROW(EXPIRED, "expired")                                                                                                 \
    ROW(NOT_YET_VALID, "not_yet_valid")                                                                                     \
    ROW(REVOKED, "revoked")                                                                                                 \
    ROW(CRL_STALE, "crl_stale")                                                                                             \
    ROW(CRL_MISSING, "crl_missing")                                                                                         \
    ROW(WRONG_USAGE, "wrong_usage")                                                                                         \
    ROW(NOT_A_CA, "not_a_ca")                                                                                               \
    ROW(PATH_LENGTH, "path_length")                                                                                         \
    ROW(NAME_CONSTRAINT, "name_constraint")                                                                                 \
    ROW(UNSUPPORTED_CRITICAL_EXTENSION, "unsupported_critical_extension")                                                   \
    ROW(WEAK_KEY, "weak_key")                                                                                               \
    ROW(WEAK_SIGNATURE, "weak_signature")

#define REASON_ENUMERATOR(NAME, text) REASON_##NAME,
enum reason { REASONS(REASON_ENUMERATOR) REASON_COUNT };

/* The client certificate's status, which follows from the reason. */
enum status { STATUS_NONE, STATUS_VALID, STATUS_INVALID, STATUS_COUNT };

const char *reason_name(enum reason reason);
const char *status_name(enum status status);
/* Returns valid for `ok`, none for `absent`, and invalid for all others. */
enum status reason_status(enum reason reason);

#endif
