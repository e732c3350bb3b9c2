#include "base/core.h"

#include "base/check.h"

#include <sys/prctl.h>
#include <sys/resource.h>

void core_forbid(void) {
    /* Both are needed: a program that core_pattern names pays no heed to the limit, and a child does not keep the attribute.
     */
    CHECK(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
    CHECK(setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}) == 0);
}
