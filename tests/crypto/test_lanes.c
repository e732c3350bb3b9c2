#include "crypto/lanes.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>

/* Tells whether the kernel lists this flag of the processor, which it does only where it keeps the registers. */
static bool has_flag(const char *flag) {
    static char line[16 * 1024];
    char padded[64];
    bool found = false;
    snprintf(padded, sizeof padded, " %s ", flag);
    FILE *file = fopen("/proc/cpuinfo", "r");
    cr_assert_not_null(file);
    while (!found && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = ' ';
        found = strncmp(line, "flags", 5) == 0 && strstr(line, padded) != NULL;
    }
    fclose(file);
    return found;
}

Test(lanes, supported_as_the_kernel_says) {
    static const char *const needed[] = {"avx512f",    "avx512cd",     "avx512dq", "avx512bw", "avx512vl", "avx512ifma",
                                         "avx512vbmi", "avx512_vbmi2", "avx2",     "bmi1",     "bmi2"};
    bool all = true;
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        all = all && has_flag(needed[i]);
    }
    cr_assert_eq(lanes_supported(), all);
}

Test(lanes, every_kind_has_a_name_and_a_worth) {
    for (int kind = 0; kind < LANES_KINDS; kind++) {
        cr_assert_not_null(lanes_name((enum lanes_kind)kind));
        size_t worth = lanes_worth((enum lanes_kind)kind);
        cr_assert(worth >= 1 && worth <= LANES_MAX + 1, "%s", lanes_name((enum lanes_kind)kind));
    }
}

/* A call without jobs, or with more than there are lanes, is a mistake of the caller's. */
Test(lanes, no_jobs, .signal = SIGABRT) {
    lanes_x25519_public(NULL, 0);
}

Test(lanes, too_many_jobs, .signal = SIGABRT) {
    lanes_x25519_public(NULL, LANES_MAX + 1);
}
