#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

_Noreturn void check_failed(const char *file, int line, const char *condition) {
    /* Straight to the descriptor: stdio's own state may be what is broken. */
    dprintf(STDERR_FILENO, "%s:%d: broken invariant: %s\n", file, line, condition);
    abort();
}
