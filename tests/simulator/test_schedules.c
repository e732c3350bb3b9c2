/* Random schedules: whatever comes in whatever order, nothing is lost, mixed up, counted twice or left over. */
#include "base/log.h"
#include "world.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum {
#ifdef __SANITIZE_ADDRESS__
    RUNS = 300,
#else
    RUNS = 1200,
#endif
};

static struct world world;

/* Returns the plan of a run, which follows from the seed as well. */
static struct world_plan plan_of(uint64_t seed) {
    return (struct world_plan){
        .seed = seed,
        .faults = {.short_of_submissions = seed % 3 == 0,
                   .busy = seed % 5 == 0,
                   .no_descriptors = seed % 7 == 0,
                   .sleeps = true},
        .connections = seed % 4 == 0 ? 4 : 64,
        .load = seed % 6 == 0   ? 990
                : seed % 6 == 1 ? 600
                                : 50,
        .faulty_origins = seed % 2 == 0,
        .allocations_fail = seed % 11 == 0,
        .reloads = seed % 3 != 1,
        .listener = seed % 13 < 3    ? WORLD_BALANCED
                    : seed % 13 == 3 ? WORLD_REDIRECT
                                     : WORLD_DIRECT,
        .steps = 600,
    };
}

/* Counts of all runs together, checked because a test in which nothing happens would hold too. */
struct seen {
    uint64_t states[CONNECTION_STATES]; /* connections that were in it when the shard waited */
    uint64_t handshakes, resumed, timeouts, evicted, redirects, reloads;
    uint64_t pauses, paused_at_timers;
    uint64_t answers[600];
    uint64_t http2_answers, stream_ends[CLIENT_STREAM_ENDS], farewells, faults;
};
static struct seen seen;

static void add(const struct world *done) {
    for (unsigned state = 0; state < CONNECTION_STATES; state++) {
        seen.states[state] += done->states[state];
    }
    for (unsigned status = 0; status < 600; status++) {
        for (unsigned protocol = 0; protocol < STATS_PROTOCOL_COUNT; protocol++) {
            seen.answers[status] += done->counts.answers[protocol][status];
        }
        seen.http2_answers += done->counts.answers[STATS_HTTP2][status];
    }
    for (unsigned end = 0; end < CLIENT_STREAM_ENDS; end++) {
        seen.stream_ends[end] += done->counts.stream_ends[end];
    }
    seen.farewells += done->counts.farewells;
    seen.faults += done->counts.faults;
    seen.handshakes += done->counts.handshakes;
    seen.resumed += done->counts.resumed;
    seen.timeouts += done->timeouts;
    seen.evicted += done->evicted;
    seen.redirects += done->redirects;
    seen.reloads += done->reloads;
    seen.pauses += done->pauses.count;
    seen.paused_at_timers += done->pauses.unserved;
}

static uint64_t number_of(const char *name, uint64_t otherwise) {
    const char *text = getenv(name);

    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

/* SIMULATOR_SEED=N: that schedule alone. SIMULATOR_RUNS=N: so many, from that one on or from the first. */
Test(schedules, at_random) {
    uint64_t first = number_of("SIMULATOR_SEED", 1);
    uint64_t runs = number_of("SIMULATOR_RUNS", getenv("SIMULATOR_SEED") != NULL ? 1 : RUNS);

    world_set_up();
    log_set_level(LOG_LEVEL_ERROR);
    for (uint64_t seed = first; seed < first + runs; seed++) {
        struct world_plan plan = plan_of(seed);

        world_run(&world, &plan);
        add(&world);
    }
    if (runs < RUNS) {
        return;
    }
    for (unsigned state = 0; state < CONNECTION_STATES; state++) {
        cr_expect_gt(seen.states[state], runs, "state %u was seen %lu times", state, seen.states[state]);
    }
    cr_expect_gt(seen.handshakes, 2 * runs);
    cr_expect_gt(seen.resumed, runs / 2);
    cr_expect_gt(seen.redirects, runs / 4);
    cr_expect_gt(seen.answers[101], runs / 4);
    cr_expect_gt(seen.answers[200], runs);
    cr_expect_gt(seen.answers[204], runs / 4);
    cr_expect_gt(seen.answers[403], runs / 4);
    cr_expect_gt(seen.answers[502], runs / 40);
    cr_expect_gt(seen.answers[504] + seen.answers[408] + seen.timeouts, runs / 4);
    cr_expect_gt(seen.http2_answers, runs);
    for (unsigned end = 0; end < CLIENT_STREAM_ENDS; end++) {
        cr_expect_gt(seen.stream_ends[end], runs / 20, "%lu streams had end %u", seen.stream_ends[end], end);
    }
    cr_expect_gt(seen.farewells, runs / 4);
    cr_expect_gt(seen.faults, runs / 40);
    cr_expect_gt(seen.evicted, runs / 40);
    cr_expect_gt(seen.reloads, runs / 4);
    cr_expect_gt(seen.pauses, 4 * runs);
    cr_expect_gt(seen.paused_at_timers, 2 * runs);
}

/*
 * Else a seed that failed could not be run again. Under ASan, schedules in which allocations fail are not quite the same
 * each time; it is not known why, and without ASan they are.
 */
Test(schedules, one_seed_gives_one_run) {
    world_set_up();
    log_set_level(LOG_LEVEL_ERROR);
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct world_plan plan = plan_of(seed);
#ifdef __SANITIZE_ADDRESS__
        plan.allocations_fail = false;
#endif
        uint64_t digest = world_run(&world, &plan);

        cr_expect_eq(world_run(&world, &plan), digest, "seed %lu", seed);
    }
}
