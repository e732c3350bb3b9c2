/* The contract's words for the reason of a status, in headers, logs, metric labels and on the command line. */
#ifndef BASE_REASON_H
#define BASE_REASON_H

#include "base/bytes.h"

enum reason {
    REASON_OK,
    REASON_ABSENT,
    REASON_MALFORMED,
    REASON_TOO_LARGE,
    REASON_CHAIN_TOO_LONG,
    REASON_UNKNOWN_ISSUER,
    REASON_BAD_SIGNATURE,
    REASON_EXPIRED,
    REASON_NOT_YET_VALID,
    REASON_REVOKED,
    REASON_CRL_STALE,
    REASON_CRL_MISSING,
    REASON_WRONG_USAGE,
    REASON_NOT_A_CA,
    REASON_PATH_LENGTH,
    REASON_NAME_CONSTRAINT,
    REASON_UNSUPPORTED_CRITICAL_EXTENSION,
    REASON_WEAK_KEY,
    REASON_WEAK_SIGNATURE,
    REASON_COUNT,
};

/* The client certificate's status, which follows from the reason. */
enum status { STATUS_NONE, STATUS_VALID, STATUS_INVALID, STATUS_COUNT };

const char *reason_name(enum reason reason);
const char *status_name(enum status status);
/* Returns valid for `ok`, none for `absent`, and invalid for all others. */
enum status reason_status(enum reason reason);

#endif
