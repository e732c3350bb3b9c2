#include "base/bytes.h"
#include "base/fiber.h"
#include "base/sanitizers.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#ifdef __x86_64__

enum { STACK_SIZE = 64 * 1024, FIBERS = 4 };

static struct fiber_pool pool;

static void begin(void) {
    cr_assert_eq(fiber_pool_create(&pool, FIBERS, STACK_SIZE), 0);
}

static void end(void) {
    fiber_pool_destroy(&pool);
}

TestSuite(fiber, .init = begin, .fini = end);

/* A function that notes its steps, and pauses between two of them. */
struct walk {
    int steps; /* that it makes */
    int done;
    struct fiber *self;
};

static void walk(void *argument) {
    struct walk *walk = argument;

    walk->self = fiber_current();
    while (++walk->done < walk->steps) {
        fiber_pause();
        cr_assert_eq(fiber_current(), walk->self);
    }
}

Test(fiber, returns_at_once_when_the_function_does) {
    struct walk once = {.steps = 1};

    cr_assert_null(fiber_start(&pool, walk, &once));
    cr_assert_eq(once.done, 1);
    cr_assert_not_null(once.self);
    cr_assert_null(fiber_current());
}

Test(fiber, goes_on_where_it_has_paused) {
    struct walk walks[FIBERS] = {{.steps = 2}, {.steps = 3}, {.steps = 4}, {.steps = 5}};
    struct fiber *paused[FIBERS];

    for (int i = 0; i < FIBERS; i++) {
        paused[i] = fiber_start(&pool, walk, &walks[i]);
        cr_assert_eq(paused[i], walks[i].self);
        cr_assert_null(fiber_current());
    }
    cr_assert_not(fiber_is_free(&pool));
    for (int round = 2; round <= 5; round++) {
        for (int i = FIBERS - 1; i >= round - 2; i--) {
            cr_assert_eq(fiber_resume(paused[i]), round < walks[i].steps);
            cr_assert_eq(walks[i].done, round);
        }
    }
    cr_assert(fiber_is_free(&pool));
}

Test(fiber, that_ended_last_is_taken_first) {
    struct walk first = {.steps = 2}, second = {.steps = 2}, third = {.steps = 1};

    struct fiber *a = fiber_start(&pool, walk, &first);
    struct fiber *b = fiber_start(&pool, walk, &second);
    cr_assert_neq(a, b);
    cr_assert_not(fiber_resume(b));
    cr_assert_not(fiber_resume(a));
    fiber_start(&pool, walk, &third);
    cr_assert_eq(third.self, a);
}

/* Fills its stack, and writes a number by code that needs the stack to be aligned. */
static void fill(void *argument) {
    uint8_t filling[STACK_SIZE - 16 * 1024];
    char *text = argument;

    memset(filling, 0x5a, sizeof filling);
    fiber_pause();
    int wrong = 0;
    for (size_t i = 0; i < sizeof filling; i++) {
        wrong += filling[i] != 0x5a;
    }
    snprintf(text, 32, "%.3f %d", 2.5, wrong);
}

Test(fiber, has_all_of_its_stack_for_itself) {
    char texts[FIBERS][32];
    struct fiber *paused[FIBERS];

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < FIBERS; i++) {
            paused[i] = fiber_start(&pool, fill, texts[i]);
        }
        for (int i = 0; i < FIBERS; i++) {
            cr_assert_not(fiber_resume(paused[i]));
            cr_assert_str_eq(texts[i], "2.500 0");
        }
    }
}

/* ASan reports the fault, and aborts as tools/check has it do. */
#ifdef WITH_ASAN
#define SIGNAL_OF_OVERFLOW SIGABRT
#else
#define SIGNAL_OF_OVERFLOW SIGSEGV
#endif

/* Uses more stack than there is: by frames of a size that cannot step over the untouchable page. */
static int sink(volatile uint8_t *above, int depth) {
    volatile uint8_t frame[1024];

    frame[0] = above[0];
    return depth == 0 ? frame[0] : sink(frame, depth - 1) + frame[0];
}

static void overflow(void *argument) {
    volatile uint8_t first[1] = {1};

    *(int *)argument = sink(first, 2 * STACK_SIZE / 1024);
}

Test(fiber, that_needs_too_much_stack_touches_no_other, .signal = SIGNAL_OF_OVERFLOW) {
    int result = 0;

    fiber_start(&pool, overflow, &result);
}

/* A frame as large as libraries may have: its far end is touched alone, and must not be another stack's. */
static void step_far(void *argument) {
    volatile uint8_t frame[STACK_SIZE + 60 * 1024];

    frame[0] = 1;
    *(int *)argument = frame[0];
}

Test(fiber, cannot_step_over_the_end_of_its_stack, .signal = SIGNAL_OF_OVERFLOW) {
    int result = 0;

    fiber_start(&pool, step_far, &result);
}

static void start_another(void *argument) {
    struct walk another = {.steps = 1};

    fiber_start(argument, walk, &another);
}

Test(fiber, starts_no_fiber, .signal = SIGABRT) {
    fiber_start(&pool, start_another, &pool);
}

Test(fiber, pauses_nothing_but_a_fiber, .signal = SIGABRT) {
    fiber_pause();
}

Test(fiber, must_have_ended_when_its_pool_goes, .signal = SIGABRT) {
    struct walk half = {.steps = 2};

    fiber_start(&pool, walk, &half);
    fiber_pool_destroy(&pool);
}

Test(fiber, pool_that_is_too_large_is_no_pool, .init = NULL, .fini = NULL) {
    struct fiber_pool large;

    cr_assert_eq(fiber_pool_create(&large, 1 << 20, (size_t)1 << 40), -ENOMEM);
    fiber_pool_destroy(&large);
}

#else

Test(fiber, is_for_another_processor) {
    struct fiber_pool pool;

    cr_assert_eq(fiber_pool_create(&pool, 1, 65536), -ENOSYS);
    fiber_pool_destroy(&pool);
}

#endif
