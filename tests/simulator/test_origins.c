/*
 * Random schedules of the origins behind the hosts: origins of TLS and of HTTP/2, names whose addresses come and go, health
 * checks that change their mind, backups, bounds on requests in flight, PROXY headers.
 */
#include "base/log.h"
#include "world.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum {
#ifdef __SANITIZE_ADDRESS__
    RUNS = 30,
#else
    RUNS = 150,
#endif
};

static struct world world;

static struct world_plan plan_of(uint64_t seed) {
    return (struct world_plan){
        .seed = seed,
        .faults = {.short_of_submissions = seed % 3 == 0, .busy = seed % 5 == 0, .sleeps = true},
        .connections = 64,
        .load = 50,
        .faulty_origins = seed % 2 == 0,
        .allocations_fail = seed % 11 == 0,
        .reloads = seed % 3 != 1,
        .listener = seed % 13 < 3 ? WORLD_BALANCED : WORLD_DIRECT,
        .origins = WORLD_VARIED,
        .steps = 600,
    };
}

static uint64_t number_of(const char *name, uint64_t otherwise) {
    const char *text = getenv(name);

    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

/* SIMULATOR_SEED=N: that schedule alone. SIMULATOR_RUNS=N: so many, from that one on or from the first. */
Test(origins, at_random) {
    uint64_t first = number_of("SIMULATOR_SEED", 1);
    uint64_t runs = number_of("SIMULATOR_RUNS", getenv("SIMULATOR_SEED") != NULL ? 1 : RUNS);
    uint64_t changes = 0, flips = 0, unhealthy = 0, backups = 0, handshakes = 0, resumed = 0,
             faults[RELAY_FAULT_COUNT] = {0};

    world_set_up();
    log_set_level(LOG_LEVEL_ERROR);
    for (uint64_t seed = first; seed < first + runs; seed++) {
        struct world_plan plan = plan_of(seed);

        world_run(&world, &plan);
        changes += world.behind.changes;
        flips += world.behind.flips;
        unhealthy += world.behind.unhealthy_asked;
        backups += world.behind.backup_asked;
        handshakes += world.behind.counts.handshakes;
        resumed += world.behind.counts.resumed;
        for (unsigned fault = 0; fault < RELAY_FAULT_COUNT; fault++) {
            faults[fault] += world.behind.faults[fault];
        }
    }
    if (runs < RUNS) {
        return;
    }
    cr_expect_gt(changes, 4 * runs);
    cr_expect_gt(flips, 4 * runs);
    cr_expect_gt(unhealthy, 0);
    cr_expect_gt(backups, runs / 4);
    cr_expect_gt(handshakes, runs);
    cr_expect_gt(resumed, runs / 10);
    static const enum relay_fault kinds[] = {RELAY_FAULT_REFUSED, RELAY_FAULT_RESET, RELAY_FAULT_TLS_HANDSHAKE,
                                             RELAY_FAULT_TLS_CERTIFICATE, RELAY_FAULT_TLS_NAME};
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        cr_expect_gt(faults[kinds[i]], 0, "no failure is \"%s\"", relay_fault_name(kinds[i]));
    }
}
