#include "ring/cores.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>

Test(cores, honours_the_affinity_mask) {
    int cores[CORES_MAX];
    int count = cores_usable(cores);

    cr_assert_geq(count, 1);
    int last = cores[count - 1];
    cr_assert_eq(cores_pin(last), 0);
    cr_assert_eq(sched_getcpu(), last);
    cr_assert_eq(cores_usable(cores), 1);
    cr_assert_eq(cores[0], last);
}

Test(cores, refuses_what_is_no_core) {
    cr_assert_eq(cores_pin(-1), -EINVAL);
    cr_assert_neq(cores_pin(CPU_SETSIZE - 1), 0);
}
