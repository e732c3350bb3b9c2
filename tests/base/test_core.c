#include "base/core.h"

#include <criterion/criterion.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

Test(core, none_is_dumped_by_the_process_or_its_children) {
    struct rlimit limit = {1, 1};
    core_forbid();
    cr_expect_eq(prctl(PR_GET_DUMPABLE), 0);
    cr_expect_eq(getrlimit(RLIMIT_CORE, &limit), 0);
    cr_expect_eq(limit.rlim_cur, 0);
    cr_expect_eq(limit.rlim_max, 0);
    pid_t child = fork();
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", "test \"$(ulimit -c)\" = 0", (char *)NULL);
        _exit(127);
    }
    int status = -1;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
