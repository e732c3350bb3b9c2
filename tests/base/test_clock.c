#include "base/clock.h"

#include <criterion/criterion.h>
#include <time.h>

Test(clock, monotonic_never_goes_back_and_counts_nanoseconds) {
    uint64_t start = clock_monotonic_ns();
    uint64_t last = start;
    for (int i = 0; i < 100000; i++) {
        uint64_t now = clock_monotonic_ns();
        cr_assert_geq(now, last);
        last = now;
    }
    struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
    start = clock_monotonic_ns();
    nanosleep(&pause, NULL);
    cr_assert_geq(clock_monotonic_ns() - start, 20u * 1000 * 1000);
    uint64_t before_ms = start / 1000000, now_ms = clock_monotonic_ms();
    cr_assert(now_ms >= before_ms + 20 && now_ms <= clock_monotonic_ns() / 1000000);
}

Test(clock, wall_is_the_time_of_day) {
    int64_t before = time(NULL);
    int64_t now = clock_wall_seconds();
    /* time() may lag behind clock_gettime by a tick of the kernel. */
    cr_assert(now >= before && now <= (int64_t)time(NULL) + 1);
}
