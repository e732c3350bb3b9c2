/*
 * The share of strangers that is heard, on a simulated machine: clients knock, those that the share lets in cost what they
 * cost, known ones first, and what is left of a window is its idle time.
 */
#include "guard/sampling.h"

#include <criterion/criterion.h>

enum { WINDOW_NS = 100 * 1000 * 1000 };

struct flood {
    enum admission_state state;
    double knocks;       /* in a window */
    double bare_ns;      /* that one costs, beside its handshake */
    double handshake_ns; /* likewise, of strangers in all classes */
    double known;        /* share of the time that known clients would use */
};

struct outcome {
    double strangers; /* share of the time that they took */
    double known;
    double heard;
};

static struct sampling sampling;

static struct outcome run(const struct flood *flood, unsigned windows) {
    struct outcome outcome = {0};
    for (unsigned i = 0; i < windows; i++) {
        double heard = (double)sampling.share / SAMPLING_ALL;
        double most = (flood->known > 0 ? 0.95 : 1) * WINDOW_NS / (flood->bare_ns + flood->handshake_ns);
        double arrivals = flood->knocks * heard;
        arrivals = arrivals < most ? arrivals : most;
        /* Connections are accepted in the order in which they come, so that many strangers leave little. */
        double strangers_ns = arrivals * (flood->bare_ns + flood->handshake_ns);
        double known_ns = flood->known * WINDOW_NS;
        known_ns = known_ns < WINDOW_NS - strangers_ns ? known_ns : WINDOW_NS - strangers_ns;
        for (unsigned j = 0; j < (unsigned)arrivals; j++) {
            sampling_count(&sampling);
        }
        struct sampling_window window = {
            .state = flood->state,
            .heard = sampling.share,
            .duration_ns = WINDOW_NS,
            .idle_ns = (uint64_t)(WINDOW_NS - strangers_ns - known_ns),
            .known_ns = (uint64_t)known_ns,
            .strangers_ns = (uint64_t)((unsigned)arrivals * flood->handshake_ns),
        };
        sampling_end_window(&sampling, &window);
        outcome = (struct outcome){strangers_ns / WINDOW_NS, known_ns / WINDOW_NS, heard};
        cr_assert(sampling.share >= SAMPLING_LEAST && sampling.share <= SAMPLING_ALL);
    }
    return outcome;
}

TestSuite(sampling);

Test(sampling, a_calm_shard_hears_everybody) {
    const struct flood flood = {ADMISSION_CALM, 10000, 15000, 0, 0.9};
    sampling_init(&sampling);
    cr_expect_eq(sampling.share, SAMPLING_ALL);
    cr_expect_eq(run(&flood, 20).heard, 1);
    sampling.share = 100;
    run(&flood, 1);
    cr_expect_eq(sampling.share, SAMPLING_ALL, "at once");
}

Test(sampling, known_clients_keep_the_core_within_a_second) {
    static const struct flood floods[] = {
        {ADMISSION_FLOODED, 10000, 15000, 0, 1},     {ADMISSION_FLOODED, 100000, 15000, 0, 1},
        {ADMISSION_FLOODED, 10000, 10000, 0, 1},     {ADMISSION_FLOODED, 2000, 20000, 70000, 1},
        {ADMISSION_FLOODED, 20000, 20000, 20000, 1}, {ADMISSION_FLOODED, 20000, 20000, 200000, 1},
    };
    for (size_t i = 0; i < sizeof floods / sizeof floods[0]; i++) {
        sampling_init(&sampling);
        run(&floods[i], 15);
        for (unsigned j = 0; j < 20; j++) {
            struct outcome outcome = run(&floods[i], 1);
            cr_expect_gt(outcome.known, 0.88, "%zu: %f", i, outcome.known);
            cr_expect(outcome.strangers > 0.02, "%zu: somebody is heard: %f", i, outcome.strangers);
        }
    }
}

Test(sampling, what_known_clients_do_not_need_strangers_get) {
    const struct flood flood = {ADMISSION_FLOODED, 20000, 15000, 30000, 0.3};
    sampling_init(&sampling);
    run(&flood, 30);
    struct outcome outcome = run(&flood, 1);
    cr_expect_gt(outcome.known, 0.299);
    cr_expect_gt(outcome.strangers, 0.45, "%f", outcome.strangers);
    cr_expect_lt(outcome.strangers, 0.60, "%f", outcome.strangers);
    /* Alone they get nearly all of it. */
    const struct flood alone = {ADMISSION_LOADED, 20000, 20000, 30000, 0};
    run(&alone, 30);
    cr_expect_gt(run(&alone, 1).strangers, 0.90);
}

Test(sampling, few_strangers_are_all_heard) {
    const struct flood few = {ADMISSION_FLOODED, 50, 20000, 70000, 1};
    sampling_init(&sampling);
    cr_expect_eq(run(&few, 50).heard, 1);
    /* Also after a flood: once two spans have passed in which none of those came again that were not heard. */
    const struct flood many = {ADMISSION_FLOODED, 50000, 20000, 0, 1};
    run(&many, 50);
    cr_expect_lt(sampling.share, SAMPLING_ALL / 50);
    run(&few, 40);
    cr_expect_eq(sampling.share, SAMPLING_ALL);
}

/* It is let in now and then to see whether it goes on. */
Test(sampling, a_flood_that_is_still_there_is_met_as_it_was_left) {
    struct flood flood = {ADMISSION_FLOODED, 20000, 20000, 0, 1};
    sampling_init(&sampling);
    run(&flood, 30);
    uint32_t before = sampling.share;
    flood.state = ADMISSION_CALM;
    run(&flood, 3);
    cr_expect_eq(sampling.share, SAMPLING_ALL);
    flood.state = ADMISSION_LOADED;
    run(&flood, 1);
    cr_expect(sampling.share >= before && sampling.share < 2 * before, "%u after %u", sampling.share, before);
    /* After some seconds of calm it is another one. */
    flood = (struct flood){ADMISSION_CALM, 10, 20000, 0, 0.5};
    run(&flood, 60);
    flood.state = ADMISSION_LOADED;
    run(&flood, 1);
    cr_expect_eq(sampling.share, SAMPLING_ALL);
}

Test(sampling, nobody_is_shut_out_for_good) {
    const struct flood endless = {ADMISSION_FLOODED, 5000000, 20000, 0, 1};
    sampling_init(&sampling);
    run(&endless, 200);
    cr_expect_geq(sampling.share, SAMPLING_LEAST);
    const struct flood none = {ADMISSION_FLOODED, 0, 20000, 0, 1};
    run(&none, 50);
    cr_expect_eq(sampling.share, SAMPLING_ALL);
}

/*
 * A flood whose clients all come again: one that was heard knocks at once, one whose SYN was dropped a second later (ten
 * windows), since its kernel sends another one then, or since it gives up and begins anew.
 */
enum { CLIENTS = 10000, SECOND = 10 };

static double strangers_at(unsigned now, unsigned *due, uint32_t *state) {
    enum { COST_NS = 20000 };
    uint32_t heard = sampling.share;
    unsigned arrivals = 0;
    for (unsigned i = 0; i < CLIENTS && arrivals * (double)COST_NS < 0.9 * WINDOW_NS; i++) {
        if (due[i] > now) {
            continue;
        }
        *state = *state * 1664525 + 1013904223;
        bool is_heard = *state >> 16 < heard;
        arrivals += is_heard;
        due[i] = now + (is_heard ? 1 : SECOND);
    }
    for (unsigned i = 0; i < arrivals; i++) {
        sampling_count(&sampling);
    }
    double strangers_ns = arrivals * (double)COST_NS;
    struct sampling_window window = {
        .state = ADMISSION_FLOODED,
        .heard = heard,
        .duration_ns = WINDOW_NS,
        .known_ns = (uint64_t)(WINDOW_NS - strangers_ns), /* known clients take all that they can get */
    };
    sampling_end_window(&sampling, &window);
    return strangers_ns / WINDOW_NS;
}

/* The share would else rise while nobody is there, and let all of them in a second later. */
Test(sampling, clients_that_were_not_heard_do_not_come_back_as_a_wave) {
    static unsigned due[CLIENTS];
    uint32_t state = 1;
    double sum = 0;
    sampling_init(&sampling);
    for (unsigned now = 0; now < 600; now++) {
        double strangers = strangers_at(now, due, &state);
        if (now >= 20) {
            cr_expect_lt(strangers, 0.20, "window %u: %f", now, strangers);
            sum += strangers;
        }
    }
    cr_expect_gt(sum / 580, 0.01, "somebody is heard: %f", sum / 580);
    cr_expect_lt(sum / 580, 0.10, "%f", sum / 580);
}
