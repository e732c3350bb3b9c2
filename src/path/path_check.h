/* Checks of one complete path, root to leaf (RFC 5280 section 6.1). Used by path.c alone. */
#ifndef PATH_PATH_CHECK_H
#define PATH_PATH_CHECK_H

#include "path/path_budget.h"

/* Checks a path: fault->reason is REASON_OK when it is valid. False when the signatures ran out before that was known. */
bool path_check(struct path_budget *budget, const struct path_candidate *candidate, struct path_fault *fault);

#endif
