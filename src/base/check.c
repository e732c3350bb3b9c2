#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

_Noreturn void check_failed(const char *file, int line, const char *condition) {
    /* The text goes straight to the descriptor, since stdio's own state may be broken. */
    dprintf(STDERR_FILENO, "%s:%d: broken invariant: %s\n", file, line, condition);
    abort();
}
