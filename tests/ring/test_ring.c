#include "base/clock.h"
#include "ring/ring.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sys/resource.h>

static struct ring ring;
static unsigned fired;

static void count(struct timer *timer) {
    fired++;
}

static void create(uint32_t accepted) {
    struct ring_options options = {.accepted = accepted, .streams = accepted, .receive_buffers = 16, .chunks = 16};
    struct error error;

    cr_assert_eq(ring_create(&ring, &options, &error), 0, "%s", error.text);
}

Test(ring, sleeps_until_a_timer_is_due) {
    uint64_t begin = clock_monotonic_ns();

    create(16);
    struct timer timer;
    timer_init(&timer, count);
    timer_set(&ring.timers, &timer, ring_now_ms(&ring), 100);
    for (unsigned i = 0; i < 100 && fired == 0; i++) {
        cr_assert_eq(ring_turn(&ring, 10000), 0);
    }
    cr_assert_eq(fired, 1);
    cr_assert_geq(clock_monotonic_ns() - begin, 99000000u);
    ring_destroy(&ring);
}

Test(ring, sleeps_no_longer_than_told) {
    uint64_t begin = clock_monotonic_ns();

    create(16);
    cr_assert_eq(ring_turn(&ring, 20), 0);
    cr_assert_leq(clock_monotonic_ns() - begin, 5000000000u);
    ring_destroy(&ring);
}

Test(ring, too_few_descriptors_are_named) {
    struct rlimit limit = {100, 100};
    struct ring_options options = {.accepted = 1000, .streams = 1000, .receive_buffers = 16, .chunks = 16};
    struct error error;

    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    cr_assert_eq(ring_create(&ring, &options, &error), -EMFILE);
    cr_assert_not_null(strstr(error.text, "ulimit -n"), "%s", error.text);
    cr_assert_not_null(strstr(error.text, "the limit is 100"), "%s", error.text);
}
