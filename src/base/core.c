#include "base/core.h"

#include "base/check.h"

#include <sys/prctl.h>
#include <sys/resource.h>

void core_forbid(void) {
    /* The limit says nothing to a program that core_pattern names, and the attribute nothing to a child. */
    CHECK(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
    CHECK(setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}) == 0);
}
