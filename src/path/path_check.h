/* Checks of one complete path, root to leaf (RFC 5280 section 6.1). Used by path.c alone. */
#ifndef PATH_PATH_CHECK_H
#define PATH_PATH_CHECK_H

#include "path/path_budget.h"

/* REASON_OK in fault->reason when the path is valid. False when signatures ran out before that was known. */
bool path_check(struct path_budget *budget, const struct path_candidate *candidate, struct path_fault *fault);

#endif
