/*
 * Admission on a simulated clock: a shard with one core, to which clients come by chance. Each handshake moves the clock by
 * its cost, and nothing else does but where a test says so.
 */
#include "guard/admission.h"
#include "guard/sampling.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum {
    MS = 1000 * 1000,
    CLIENTS_MAX = 200000,
    FIRST_FLIGHT_NS = 70000, /* with the server's signature */
    SECOND_FLIGHT_NS = 70000,
    SOURCES_MAX = 65536,
    WAITING_FRONT = 2, /* as guard/sources has it */
    DROP_WEIGHT = 8,   /* as the shard has it */
};

static const uint64_t SECOND = 1000 * (uint64_t)MS;

/* Of one kind of client: how often they come, what they cost, and what became of them. */
struct crowd {
    enum admission_class class;
    uint32_t rate; /* hellos a second; 0: nobody comes */
    uint32_t sources;
    uint64_t next_ns;
    uint64_t came;
    uint64_t served;
    uint64_t refused;
    uint64_t expired;
    uint64_t spent_ns;
    uint64_t wait_max_ns;
    uint64_t dropped;             /* since their sources are not heard */
    uint64_t accept_ns;           /* cost of a connection beside its handshake */
    bool hoards;                  /* keeps its second flights back */
    struct handshake *away_first; /* to whom the first flight is under way; longest first */
    struct handshake *away_last;
};

enum {
    CROWDS_MAX = 4,
    AWAY_MAX = 8192,
    ROUND_TRIP_NS = 400000,
};

struct handshake {
    struct admission_entry entry;
    struct crowd *crowd;
    uint32_t source;
    enum admission_step step;
    uint64_t due_ns;        /* when the second flight comes */
    struct handshake *next; /* free or away */
};

struct shard {
    struct admission admission;
    struct sampling sampling;
    bool samples; /* the kernel drops SYNs for it */
    uint64_t now_ns;
    uint64_t idle_ns;
    uint64_t window_ns; /* when the last one ended */
    struct crowd crowds[CROWDS_MAX];
    uint32_t waiting_of[CROWDS_MAX][SOURCES_MAX];
    struct handshake *free;
    struct handshake *memory;
    uint64_t random;
    uint64_t events;
    uint64_t in_state[3]; /* turns */
    uint32_t waiting_most;
};

static uint64_t draw(struct shard *shard) {
    shard->random = shard->random * 6364136223846793005u + 1442695040888963407u;
    return shard->random >> 33;
}

/* Between half and one and a half of the mean. */
static uint64_t interval(struct shard *shard, uint32_t rate) {
    uint64_t mean = SECOND / rate;
    return mean / 2 + draw(shard) % (mean + 1);
}

static void add_crowd(struct shard *shard, size_t at, enum admission_class class, uint32_t rate, uint32_t sources) {
    cr_assert(sources <= SOURCES_MAX);
    shard->crowds[at].class = class;
    shard->crowds[at].rate = rate;
    shard->crowds[at].sources = sources;
    shard->crowds[at].next_ns = shard->now_ns;
}

static struct shard *make_shard(uint32_t waiting_max) {
    struct shard *shard = calloc(1, sizeof *shard);
    shard->now_ns = shard->window_ns = 5 * SECOND;
    shard->random = 20261125;
    shard->memory = calloc(waiting_max + AWAY_MAX, sizeof *shard->memory);
    for (uint32_t i = 0; i < waiting_max + AWAY_MAX; i++) {
        shard->memory[i].next = shard->free;
        shard->free = &shard->memory[i];
    }
    admission_init(&shard->admission, waiting_max, shard->now_ns);
    sampling_init(&shard->sampling);
    return shard;
}

static void free_shard(struct shard *shard) {
    free(shard->memory);
    free(shard);
}

static void work(struct shard *shard, struct crowd *crowd, uint64_t cost_ns) {
    shard->now_ns += cost_ns;
    crowd->spent_ns += cost_ns;
    admission_spend(&shard->admission, crowd->class, cost_ns);
}

static void let_go(struct shard *shard, struct handshake *handshake) {
    handshake->next = shard->free;
    shard->free = handshake;
}

static void send_away(struct shard *shard, struct handshake *handshake) {
    struct crowd *crowd = handshake->crowd;
    handshake->due_ns = shard->now_ns + ROUND_TRIP_NS;
    handshake->next = NULL;
    if (crowd->away_first == NULL) {
        crowd->away_first = handshake;
    } else {
        crowd->away_last->next = handshake;
    }
    crowd->away_last = handshake;
}

static void serve(struct shard *shard, struct handshake *handshake) {
    struct crowd *crowd = handshake->crowd;
    if (handshake->step != ADMISSION_FLIGHT) {
        work(shard, crowd, FIRST_FLIGHT_NS);
        send_away(shard, handshake);
        return;
    }
    work(shard, crowd, SECOND_FLIGHT_NS);
    crowd->served++;
    let_go(shard, handshake);
}

static uint32_t *waiting_of_source(struct shard *shard, const struct handshake *handshake) {
    return &shard->waiting_of[handshake->crowd - shard->crowds][handshake->source];
}

static void stop_waiting(struct shard *shard, struct handshake *handshake) {
    if (handshake->step != ADMISSION_FLIGHT) {
        cr_assert(*waiting_of_source(shard, handshake) > 0);
        (*waiting_of_source(shard, handshake))--;
    }
}

static void refuse(struct shard *shard, struct handshake *handshake) {
    handshake->crowd->refused++;
    admission_refuse(&shard->admission, 1);
    let_go(shard, handshake);
}

static void ask(struct shard *shard, struct handshake *handshake, enum admission_step step) {
    enum admission_class class = handshake->crowd->class;
    handshake->step = step;
    if (admission_may_go(&shard->admission, class, step, shard->now_ns)) {
        serve(shard, handshake);
        return;
    }
    if (step == ADMISSION_HELLO) {
        if (*waiting_of_source(shard, handshake) >= admission_waiting_of_source(&shard->admission, class)) {
            refuse(shard, handshake);
            return;
        }
        (*waiting_of_source(shard, handshake))++;
        handshake->step = *waiting_of_source(shard, handshake) > WAITING_FRONT ? ADMISSION_FURTHER_HELLO : step;
    }
    memset(&handshake->entry, 0, sizeof handshake->entry);
    struct admission_entry *out =
        admission_wait(&shard->admission, &handshake->entry, class, handshake->step, shard->now_ns);
    if (out != NULL) {
        stop_waiting(shard, (struct handshake *)out);
        refuse(shard, (struct handshake *)out);
    }
}

/* Whether a source is heard in this second: by a hash of it and of the second, as the kernel has it. */
static bool is_heard(const struct shard *shard, const struct crowd *crowd, uint32_t source) {
    if (!shard->samples || crowd->class == ADMISSION_KNOWN) {
        return true;
    }
    uint64_t name = (uint64_t)(crowd - shard->crowds) << 32 | source;
    uint64_t hash = (name * 0x9e3779b97f4a7c15 ^ shard->now_ns / SECOND) * 0xd6e8feb86659fd93;
    return (hash ^ hash >> 32) * 0xd6e8feb86659fd93 >> 48 < shard->sampling.share;
}

static void arrive(struct shard *shard, struct crowd *crowd) {
    uint32_t source = (uint32_t)(draw(shard) % crowd->sources);
    crowd->came++;
    shard->events++;
    if (!is_heard(shard, crowd, source)) {
        crowd->dropped++;
        admission_refuse(&shard->admission, DROP_WEIGHT);
        return;
    }
    if (crowd->class != ADMISSION_KNOWN) {
        sampling_count(&shard->sampling);
    }
    shard->now_ns += crowd->accept_ns;
    struct handshake *handshake = shard->free;
    cr_assert(handshake != NULL, "more wait than may");
    shard->free = handshake->next;
    handshake->crowd = crowd;
    handshake->source = source;
    ask(shard, handshake, ADMISSION_HELLO);
}

static void come_back(struct shard *shard, struct crowd *crowd, uint64_t turn_ns) {
    while (!crowd->hoards && crowd->away_first != NULL && crowd->away_first->due_ns <= turn_ns) {
        struct handshake *handshake = crowd->away_first;
        crowd->away_first = handshake->next;
        ask(shard, handshake, ADMISSION_FLIGHT);
    }
}

static void take_up(struct shard *shard) {
    struct admission_entry *entry;
    while ((entry = admission_next_expired(&shard->admission, shard->now_ns)) != NULL) {
        struct handshake *handshake = (struct handshake *)entry;
        handshake->crowd->expired++;
        admission_refuse(&shard->admission, 1);
        stop_waiting(shard, handshake);
        let_go(shard, handshake);
    }
    while ((entry = admission_next(&shard->admission, shard->now_ns)) != NULL) {
        struct handshake *handshake = (struct handshake *)entry;
        uint64_t wait_ns = shard->now_ns - entry->since_ns;
        if (wait_ns > handshake->crowd->wait_max_ns) {
            handshake->crowd->wait_max_ns = wait_ns;
        }
        stop_waiting(shard, handshake);
        serve(shard, handshake);
    }
}

/* When the next event is due, `end_ns` at the latest. */
static uint64_t next_event(const struct shard *shard, uint64_t end_ns) {
    uint64_t next_ns = end_ns;
    for (size_t i = 0; i < CROWDS_MAX; i++) {
        const struct crowd *crowd = &shard->crowds[i];
        if (crowd->rate > 0 && crowd->next_ns < next_ns) {
            next_ns = crowd->next_ns;
        }
        if (!crowd->hoards && crowd->away_first != NULL && crowd->away_first->due_ns < next_ns) {
            next_ns = crowd->away_first->due_ns;
        }
    }
    return next_ns;
}

/* Nothing costs less than a microsecond a turn. */
static void turn(struct shard *shard, uint64_t end_ns) {
    uint64_t next_ns = next_event(shard, end_ns);
    uint64_t sleep_ms = admission_sleep_ms(&shard->admission, shard->now_ns);
    uint64_t until_ns = sleep_ms >= 1000 ? shard->now_ns + SECOND : shard->now_ns + sleep_ms * MS;
    until_ns = next_ns < until_ns ? next_ns : until_ns;
    uint64_t idle_ns = until_ns > shard->now_ns ? until_ns - shard->now_ns : 0;
    shard->now_ns += idle_ns + 1000;
    shard->idle_ns += idle_ns;
    if (admission_turn(&shard->admission, shard->now_ns)) {
        const struct admission_budget *budgets = shard->admission.budgets;
        struct sampling_window window = {
            .heard = shard->sampling.share,
            .duration_ns = shard->now_ns - shard->window_ns,
            .idle_ns = shard->idle_ns,
            .known_ns = budgets[ADMISSION_KNOWN].spent,
            .strangers_ns =
                budgets[ADMISSION_RETURNING].spent + budgets[ADMISSION_UNKNOWN].spent + budgets[ADMISSION_SUSPECT].spent,
        };
        admission_end_window(&shard->admission, shard->now_ns, shard->now_ns - shard->window_ns - shard->idle_ns);
        window.state = shard->admission.state;
        sampling_end_window(&shard->sampling, &window);
        shard->window_ns = shard->now_ns;
        shard->idle_ns = 0;
    }
    shard->in_state[shard->admission.state]++;
    uint64_t turn_ns = shard->now_ns;
    for (size_t i = 0; i < CROWDS_MAX; i++) {
        struct crowd *crowd = &shard->crowds[i];
        come_back(shard, crowd, turn_ns);
        while (crowd->rate > 0 && crowd->next_ns <= turn_ns) {
            arrive(shard, crowd);
            crowd->next_ns += interval(shard, crowd->rate);
        }
    }
    if (shard->admission.waiting > shard->waiting_most) {
        shard->waiting_most = shard->admission.waiting;
    }
    take_up(shard);
}

static void run(struct shard *shard, uint64_t duration_ns) {
    uint64_t end_ns = shard->now_ns + duration_ns;
    while (shard->now_ns < end_ns) {
        turn(shard, end_ns);
    }
}

static void reset_counts(struct shard *shard) {
    for (size_t i = 0; i < CROWDS_MAX; i++) {
        struct crowd *crowd = &shard->crowds[i];
        crowd->dropped = crowd->came = crowd->served = crowd->refused = crowd->expired = crowd->spent_ns =
            crowd->wait_max_ns = 0;
    }
    memset(shard->in_state, 0, sizeof shard->in_state);
}

static double share(const struct crowd *crowd, uint64_t duration_ns) {
    return (double)crowd->spent_ns / (double)duration_ns;
}

/* A core can do some 7,100 of these handshakes a second. */
Test(admission_simulated, who_can_be_served_is_served_whoever_it_is) {
    struct shard *shard = make_shard(4096);
    add_crowd(shard, 0, ADMISSION_KNOWN, 1500, 100);
    add_crowd(shard, 1, ADMISSION_UNKNOWN, 2000, 1000);
    add_crowd(shard, 2, ADMISSION_SUSPECT, 1000, 100);
    add_crowd(shard, 3, ADMISSION_RETURNING, 1000, 100);
    run(shard, 10 * SECOND);
    for (size_t i = 0; i < CROWDS_MAX; i++) {
        cr_expect(shard->crowds[i].refused == 0 && shard->crowds[i].expired == 0);
        cr_expect_leq(shard->crowds[i].came - shard->crowds[i].served, 20);
        cr_expect_leq(shard->crowds[i].wait_max_ns, ADMISSION_TARGET_NS, "%zu: %lu", i, shard->crowds[i].wait_max_ns);
    }
    cr_expect_eq(shard->in_state[ADMISSION_LOADED] + shard->in_state[ADMISSION_FLOODED], 0);
    free_shard(shard);
}

Test(admission_simulated, a_lone_crowd_of_unknown_clients_gets_the_whole_core) {
    struct shard *shard = make_shard(4096);
    add_crowd(shard, 0, ADMISSION_UNKNOWN, 20000, 4000);
    run(shard, 2 * SECOND);
    reset_counts(shard);
    run(shard, 10 * SECOND);
    cr_expect_gt(share(&shard->crowds[0], 10 * SECOND), 0.90, "%f", share(&shard->crowds[0], 10 * SECOND));
    free_shard(shard);
}

Test(admission_simulated, known_clients_keep_the_core_in_a_flood) {
    struct shard *shard = make_shard(4096);
    add_crowd(shard, 0, ADMISSION_KNOWN, 6000, 8);
    add_crowd(shard, 1, ADMISSION_UNKNOWN, 30000, 2000);
    add_crowd(shard, 2, ADMISSION_SUSPECT, 30000, 100);
    run(shard, 2 * SECOND);
    reset_counts(shard);
    run(shard, 10 * SECOND);
    const struct crowd *known = &shard->crowds[0];
    const struct crowd *unknown = &shard->crowds[1];
    const struct crowd *suspect = &shard->crowds[2];
    cr_expect_eq(shard->in_state[ADMISSION_CALM] + shard->in_state[ADMISSION_LOADED], 0);
    cr_expect(known->refused == 0 && known->expired == 0);
    cr_expect_gt((double)known->served, 0.99 * (double)known->came);
    cr_expect_leq(known->wait_max_ns, 10 * MS, "%lu", known->wait_max_ns);
    /* Nobody is shut out: the unknown get their part, and those who wait are served before they are given up. */
    cr_expect_gt(share(unknown, 10 * SECOND), 0.05, "%f", share(unknown, 10 * SECOND));
    cr_expect_lt(share(unknown, 10 * SECOND), 0.17, "%f", share(unknown, 10 * SECOND));
    cr_expect_eq(suspect->served, 0, "%lu", suspect->served);
    cr_expect_leq(shard->waiting_most, 4096);
    free_shard(shard);
}

Test(admission_simulated, what_known_clients_do_not_need_goes_to_the_unknown) {
    struct shard *shard = make_shard(4096);
    add_crowd(shard, 0, ADMISSION_KNOWN, 2000, 8); /* 28% */
    add_crowd(shard, 1, ADMISSION_UNKNOWN, 20000, 2000);
    run(shard, 3 * SECOND);
    reset_counts(shard);
    run(shard, 10 * SECOND);
    cr_expect_gt((double)shard->crowds[0].served, 0.99 * (double)shard->crowds[0].came);
    cr_expect_gt(share(&shard->crowds[1], 10 * SECOND), 0.55, "%f", share(&shard->crowds[1], 10 * SECOND));
    free_shard(shard);
}

Test(admission_simulated, replayed_tickets_do_not_push_out_known_sources) {
    struct shard *shard = make_shard(4096);
    add_crowd(shard, 0, ADMISSION_KNOWN, 5000, 8);
    add_crowd(shard, 1, ADMISSION_RETURNING, 30000, 2000);
    run(shard, 2 * SECOND);
    reset_counts(shard);
    run(shard, 10 * SECOND);
    cr_expect_gt((double)shard->crowds[0].served, 0.99 * (double)shard->crowds[0].came);
    cr_expect_gt(share(&shard->crowds[1], 10 * SECOND), 0.10);
    cr_expect_lt(share(&shard->crowds[1], 10 * SECOND), 0.31);
    free_shard(shard);
}

/* They begin handshakes while it is calm, which costs little at a time, and end them all at once. */
Test(admission_simulated, a_hoard_of_second_flights_does_not_hold_known_clients_up) {
    struct shard *shard = make_shard(4096);
    add_crowd(shard, 0, ADMISSION_KNOWN, 3000, 8);
    add_crowd(shard, 1, ADMISSION_UNKNOWN, 750, 2000);
    struct crowd *hoard = &shard->crowds[1];
    hoard->hoards = true;
    run(shard, 2 * SECOND);
    cr_assert_eq(shard->admission.state, ADMISSION_CALM);
    cr_assert_geq(hoard->came, 1400);
    hoard->rate = 0;
    hoard->hoards = false;
    run(shard, 4 * SECOND);
    cr_expect_leq(shard->crowds[0].wait_max_ns, 10 * MS, "%lu", shard->crowds[0].wait_max_ns);
    cr_expect_eq(shard->crowds[0].refused + shard->crowds[0].expired, 0);
    /* They are served for all that, in time for a handshake's deadline. */
    cr_expect_eq(hoard->served, hoard->came);
    free_shard(shard);
}

Test(admission_simulated, sources_of_unknown_clients_are_served_alike) {
    struct shard *shard = make_shard(8192);
    /* 2,000 sources knock fifteen times a second each; 200 knock once. */
    add_crowd(shard, 0, ADMISSION_KNOWN, 5500, 8);
    add_crowd(shard, 1, ADMISSION_UNKNOWN, 30000, 2000);
    add_crowd(shard, 2, ADMISSION_UNKNOWN, 200, 200);
    run(shard, 3 * SECOND);
    reset_counts(shard);
    run(shard, 20 * SECOND);
    double flooding = (double)shard->crowds[1].served / 2000;
    double polite = (double)shard->crowds[2].served / 200;
    cr_expect_gt(polite, 0.5 * flooding, "%f of each against %f", polite, flooding);
    cr_expect_gt(shard->crowds[2].served, 0);
    free_shard(shard);
}

/* So many sources that none of them is a suspect: each knock costs something, whatever it leads to. */
static struct shard *flood_from_everywhere(enum admission_class class) {
    struct shard *shard = make_shard(8192);
    shard->samples = true;
    add_crowd(shard, 0, ADMISSION_KNOWN, 6500, 4);
    add_crowd(shard, 1, class, 40000, 60000);
    add_crowd(shard, 2, class, 400, 600);
    shard->crowds[1].accept_ns = shard->crowds[2].accept_ns = 15000;
    return shard;
}

Test(admission_simulated, known_clients_keep_the_core_in_a_flood_from_everywhere) {
    static const enum admission_class classes[] = {ADMISSION_UNKNOWN, ADMISSION_RETURNING};
    for (size_t i = 0; i < 2; i++) {
        struct shard *shard = flood_from_everywhere(classes[i]);
        run(shard, 3 * SECOND);
        reset_counts(shard);
        run(shard, 10 * SECOND);
        const struct crowd *known = &shard->crowds[0];
        cr_expect(known->refused == 0 && known->expired == 0);
        cr_expect_gt((double)known->served, 0.98 * (double)known->came, "%zu: %lu of %lu", i, known->served, known->came);
        cr_expect_leq(known->wait_max_ns, 10 * MS, "%lu", known->wait_max_ns);
        free_shard(shard);
    }
}

/* More of them than the core can serve come from one known source: the others do not wait for it. */
Test(admission_simulated, one_known_source_does_not_hold_the_others_up) {
    struct shard *shard = make_shard(8192);
    add_crowd(shard, 0, ADMISSION_KNOWN, 1000, 500);
    add_crowd(shard, 1, ADMISSION_KNOWN, 20000, 1);
    run(shard, 2 * SECOND);
    reset_counts(shard);
    run(shard, 10 * SECOND);
    const struct crowd *others = &shard->crowds[0];
    cr_expect_eq(others->refused + others->expired, 0);
    cr_expect_gt((double)others->served, 0.99 * (double)others->came);
    cr_expect_leq(others->wait_max_ns, 4 * MS, "%lu", others->wait_max_ns);
    cr_expect_gt(shard->crowds[1].served, 40000, "it gets what they leave");
    free_shard(shard);
}

Test(admission_simulated, new_clients_are_heard_in_proportion) {
    struct shard *shard = flood_from_everywhere(ADMISSION_UNKNOWN);
    run(shard, 3 * SECOND);
    reset_counts(shard);
    run(shard, 60 * SECOND);
    const struct crowd *flood = &shard->crowds[1], *polite = &shard->crowds[2];
    cr_expect_gt(flood->dropped, flood->came / 2);
    double of_flood = (double)flood->served / 60000, of_polite = (double)polite->served / 600;
    cr_expect_gt(of_polite, 0.6 * of_flood, "%f of each against %f", of_polite, of_flood);
    cr_expect_gt(polite->served, 0);
    /* When it is over they are all heard. */
    shard->crowds[0].rate = 3000;
    shard->crowds[1].rate = 0;
    run(shard, 6 * SECOND);
    cr_expect_eq(shard->sampling.share, SAMPLING_ALL);
    cr_expect_eq(shard->admission.state, ADMISSION_CALM);
    free_shard(shard);
}

Test(admission_simulated, calm_returns_and_a_little_later_than_it_went) {
    struct shard *shard = make_shard(4096);
    add_crowd(shard, 0, ADMISSION_KNOWN, 500, 8);
    run(shard, SECOND);
    cr_expect_eq(shard->admission.state, ADMISSION_CALM);
    add_crowd(shard, 1, ADMISSION_UNKNOWN, 40000, 2000);
    run(shard, SECOND);
    cr_expect_eq(shard->admission.state, ADMISSION_FLOODED);
    run(shard, 5 * SECOND);
    cr_expect_eq(shard->admission.state, ADMISSION_FLOODED);
    shard->crowds[1].rate = 0;
    run(shard, SECOND / 2);
    cr_expect_eq(shard->admission.state, ADMISSION_FLOODED, "not at once");
    run(shard, 4 * SECOND);
    cr_expect_eq(shard->admission.state, ADMISSION_CALM);
    cr_expect_eq(shard->admission.waiting, 0);
    free_shard(shard);
}

/* So many are refused each second without a hello, which costs the shard nothing. Seconds of `duration` that are not calm.
 */
static unsigned refuse_for(struct shard *shard, unsigned seconds, uint32_t each_second) {
    unsigned not_calm = 0;
    for (unsigned i = 0; i < seconds * 10; i++) {
        if (shard->admission.state != ADMISSION_CALM) {
            admission_refuse(&shard->admission, each_second / 10);
        }
        run(shard, SECOND / 10);
        not_calm += shard->admission.state != ADMISSION_CALM;
    }
    return not_calm / 10;
}

Test(admission_simulated, demand_that_is_refused_keeps_it_up_for_a_while) {
    struct shard *shard = make_shard(4096);
    add_crowd(shard, 1, ADMISSION_UNKNOWN, 40000, 2000);
    run(shard, 2 * SECOND);
    cr_assert_eq(shard->admission.state, ADMISSION_FLOODED);
    /* From now on they are all turned away before there is a hello: the core is idle, and would not stay so. */
    shard->crowds[1].rate = 0;
    cr_expect_eq(refuse_for(shard, 4, 40000), 4);
    cr_expect_eq(shard->admission.state, ADMISSION_FLOODED);
    /* But it may: then it is over. */
    refuse_for(shard, 10, 40000);
    cr_expect_eq(shard->admission.state, ADMISSION_CALM);
    free_shard(shard);
}

Test(admission_simulated, who_comes_back_each_time_is_let_in_less_and_less_often) {
    struct shard *shard = make_shard(4096);
    unsigned rises = 0;
    enum admission_state before = ADMISSION_CALM;
    for (unsigned i = 0; i < 600; i++) {
        bool calm = shard->admission.state == ADMISSION_CALM;
        add_crowd(shard, 1, ADMISSION_UNKNOWN, calm ? 40000 : 0, 2000);
        refuse_for(shard, 1, 40000);
        rises += before == ADMISSION_CALM && shard->admission.state != ADMISSION_CALM;
        before = shard->admission.state;
    }
    /* Each time ten seconds, twenty, forty, then two minutes: there are two steps down. */
    cr_expect(rises >= 4 && rises <= 12, "%u in ten minutes", rises);
    free_shard(shard);
}

Test(admission_simulated, a_table_that_is_full_is_load) {
    struct shard *shard = make_shard(4096);
    add_crowd(shard, 0, ADMISSION_KNOWN, 500, 8);
    for (unsigned i = 0; i < 20; i++) {
        admission_crowd(&shard->admission);
        run(shard, SECOND / 10);
    }
    cr_expect_eq(shard->admission.state, ADMISSION_LOADED);
    run(shard, 2 * SECOND);
    cr_expect_eq(shard->admission.state, ADMISSION_CALM);
    free_shard(shard);
}

Test(admission_simulated, a_million_hellos_and_nothing_is_lost) {
    struct shard *shard = make_shard(512);
    for (unsigned round = 0; shard->events < 1000000; round++) {
        add_crowd(shard, 0, ADMISSION_KNOWN, (uint32_t)(draw(shard) % 8000), 8);
        add_crowd(shard, 1, ADMISSION_UNKNOWN, (uint32_t)(draw(shard) % 50000), 2000);
        add_crowd(shard, 2, ADMISSION_SUSPECT, (uint32_t)(draw(shard) % 50000), 500);
        add_crowd(shard, 3, ADMISSION_RETURNING, (uint32_t)(draw(shard) % 9000), 500);
        run(shard, SECOND / 4);
        cr_assert_leq(shard->admission.waiting, 512);
    }
    for (size_t i = 0; i < CROWDS_MAX; i++) {
        shard->crowds[i].rate = 0;
    }
    run(shard, 10 * SECOND);
    cr_expect_eq(shard->admission.waiting, 0);
    cr_expect_eq(shard->admission.state, ADMISSION_CALM);
    /* It was a flood all the time, which suspects get nothing of; now they do. */
    add_crowd(shard, 2, ADMISSION_SUSPECT, 1000, 500);
    run(shard, SECOND);
    shard->crowds[2].rate = 0;
    run(shard, SECOND);
    for (size_t i = 0; i < CROWDS_MAX; i++) {
        const struct crowd *crowd = &shard->crowds[i];
        cr_expect_eq(crowd->came, crowd->served + crowd->refused + crowd->expired, "%zu", i);
        cr_expect_gt(crowd->served, 0, "%zu", i);
    }
    free_shard(shard);
}
