#include "base/clock.h"
#include "stats/process.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534 };

static struct process_reading now;

static void init(void) {
    now = (struct process_reading){0};
    process_read(&now, 1);
}

TestSuite(process, .init = init);

Test(process, memory_grows_by_what_is_touched) {
    enum { SIZE = 64 << 20 };
    struct process_reading after = {0};
    char *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(memory, MAP_FAILED);
    cr_assert(now.has_memory && now.resident_bytes > 0 && now.resident_bytes < now.virtual_bytes);
    process_read(&after, 1);
    cr_expect_geq(after.virtual_bytes, now.virtual_bytes + SIZE);
    cr_expect_lt(after.resident_bytes, now.resident_bytes + SIZE / 2);
    memset(memory, 1, SIZE);
    process_read(&after, 1);
    cr_expect_geq(after.resident_bytes, now.resident_bytes + SIZE / 2);
    munmap(memory, SIZE);
}

/* How many descriptors there are, by listing them. */
static uint64_t list(void) {
    struct process_reading reading = {0};
    process_list_descriptors(&reading, "/proc/self/fd", 1);
    cr_assert(reading.has_descriptors);
    return reading.open_descriptors;
}

static void expect_descriptors_are_counted(void) {
    enum { MORE = 100 };
    struct process_reading after = {0};
    struct rlimit limit;
    int opened[MORE];
    for (int i = 0; i < MORE; i++) {
        opened[i] = open("/dev/null", O_RDONLY);
        cr_assert_geq(opened[i], 0);
    }
    process_read(&after, 1);
    cr_assert(now.has_descriptors && after.has_descriptors);
    cr_expect_eq(after.open_descriptors, now.open_descriptors + MORE);
    cr_expect_eq(list(), after.open_descriptors, "both ways come to the same");
    for (int i = 0; i < MORE; i++) {
        close(opened[i]);
    }
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    cr_expect_eq(after.max_descriptors, limit.rlim_cur);
}

Test(process, descriptors_are_counted) {
    expect_descriptors_are_counted();
}

Test(process, a_listing_is_good_for_ten_seconds) {
    struct process_reading reading = {0};
    uint64_t before = list();
    process_list_descriptors(&reading, "/proc/self/fd", 5000);
    cr_expect_eq(reading.open_descriptors, before);
    int more = dup(STDIN_FILENO);
    process_list_descriptors(&reading, "/proc/self/fd", 14999);
    cr_expect_eq(reading.open_descriptors, before);
    process_list_descriptors(&reading, "/proc/self/fd", 15000);
    cr_expect_eq(reading.open_descriptors, before + 1);
    close(more);
}

Test(process, what_cannot_be_listed_is_not_there_unless_the_reason_is_that_all_are_open) {
    struct process_reading reading = {.max_descriptors = 77};
    process_list_descriptors(&reading, "/proc/self/none", 1);
    cr_expect_not(reading.has_descriptors);
    struct rlimit limit = {.rlim_cur = 64, .rlim_max = 64};
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    while (dup(STDIN_FILENO) >= 0) {
        continue;
    }
    process_list_descriptors(&reading, "/proc/self/fd", 1);
    cr_expect(reading.has_descriptors);
    cr_expect_eq(reading.open_descriptors, 77);
}

/* As the service runs: not as root, and with core dumps off, when /proc/self belongs to root. */
Test(process, it_can_be_read_by_another_user_with_core_dumps_off) {
    if (geteuid() == 0) {
        cr_assert_eq(setgid(NOBODY), 0);
        cr_assert_eq(setuid(NOBODY), 0);
    }
    cr_assert_eq(prctl(PR_SET_DUMPABLE, 0), 0);
    process_read(&now, 1);
    cr_expect(now.has_memory && now.resident_bytes > 0);
    expect_descriptors_are_counted();
    cr_expect_gt(list(), 0);
    cr_expect_gt(process_start_ns(), 0);
}

Test(process, cpu_time_is_that_of_all_threads) {
    struct process_reading after = {0};
    for (uint64_t until = clock_monotonic_ns() + 10000000000; clock_monotonic_ns() < until;) {
        process_read(&after, 1);
        if (after.cpu_ns > now.cpu_ns + 50000000) {
            return;
        }
    }
    cr_assert_fail("50 ms of work in 10 s are not seen");
}

Test(process, the_start_was_just_now) {
    uint64_t wall_ns = clock_wall_ms() * 1000000;
    uint64_t start_ns = process_start_ns();
    cr_expect_leq(start_ns, wall_ns + 20000000);
    cr_expect_geq(start_ns, wall_ns - 60000000000);
}

Test(process, the_start_is_found_behind_any_name) {
    uint64_t ticks = 0;
    cr_expect(process_parse_start("7 (a) S 1 7 7 0 -1 4194560 93 0 0 0 0 0 0 0 20 0 1 0 123456 2400256 222 18", &ticks));
    cr_expect_eq(ticks, 123456);
    cr_expect(process_parse_start("7 (a ) 9) S 1 7 7 0 -1 4194560 93 0 0 0 0 0 0 0 20 0 1 0 77 2400256", &ticks));
    cr_expect_eq(ticks, 77);
    cr_expect_not(process_parse_start("7 (a) S 1 7 7 0 -1 4194560 93 0 0 0 0 0 0 0 20 0 1 0", &ticks));
    cr_expect_not(process_parse_start("", &ticks));
}
