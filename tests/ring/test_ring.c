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

struct counted {
    struct ring_task task;
    unsigned runs;
    unsigned again; /* how many times it puts itself off anew */
    struct ring_task *forgets;
};

static void run(struct ring_task *task) {
    struct counted *counted = CONTAINER_OF(task, struct counted, task);

    counted->runs++;
    if (counted->again > 0) {
        counted->again--;
        ring_defer(&ring, task);
    }
    if (counted->forgets != NULL) {
        ring_forget(counted->forgets);
    }
}

Test(ring, runs_what_was_put_off_once_in_the_next_turn) {
    struct counted first = {.task = {.run = run}, .again = 2}, second = {.task = {.run = run}};
    uint64_t begin = clock_monotonic_ns();

    create(16);
    ring_defer(&ring, &first.task);
    ring_defer(&ring, &first.task);
    ring_defer(&ring, &second.task);
    cr_assert_eq(first.runs, 0);
    cr_assert_eq(ring_turn(&ring, 10000), 0);
    cr_assert_eq(first.runs, 1);
    cr_assert_eq(second.runs, 1);
    cr_assert_eq(ring_turn(&ring, 10000), 0);
    cr_assert_eq(ring_turn(&ring, 0), 0);
    cr_assert_eq(ring_turn(&ring, 0), 0);
    cr_assert_eq(first.runs, 3);
    cr_assert_eq(second.runs, 1);
    cr_assert_leq(clock_monotonic_ns() - begin, 9000000000u);
    ring_destroy(&ring);
}

/* The caller may have to act on what the task has done, and nothing else may come for long. */
Test(ring, does_not_sleep_when_it_has_run_something) {
    struct counted counted = {.task = {.run = run}};
    uint64_t begin = clock_monotonic_ns();

    create(16);
    ring_defer(&ring, &counted.task);
    cr_assert_eq(ring_turn(&ring, 10000), 0);
    cr_assert_leq(clock_monotonic_ns() - begin, 9000000000u);
    cr_assert_not(ring_run_tasks(&ring));
    ring_defer(&ring, &counted.task);
    cr_assert(ring_run_tasks(&ring));
    cr_assert_eq(counted.runs, 2);
    ring_destroy(&ring);
}

Test(ring, runs_nothing_that_is_forgotten) {
    struct counted second = {.task = {.run = run}}, first = {.task = {.run = run}, .forgets = &second.task};

    create(16);
    ring_forget(&first.task);
    ring_defer(&ring, &first.task);
    ring_defer(&ring, &second.task);
    cr_assert_eq(ring_turn(&ring, 0), 0);
    cr_assert_eq(first.runs, 1);
    cr_assert_eq(second.runs, 0);
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
