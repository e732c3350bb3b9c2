/*
 * A shard, with the clients and origins around it, for one run of the simulation. The shard's own thread runs; whenever it
 * waits for its ring, the world checks what must always hold, and then does one thing.
 */
#ifndef TESTS_SIMULATOR_WORLD_H
#define TESTS_SIMULATOR_WORLD_H

#include "client.h"
#include "edge/connection.h"
#include "kernel.h"
#include "server/shard_thread.h"
#include "world_config.h"
#include "world_origins.h"

enum {
    WORLD_CLIENTS_MAX = 80,
    WORLD_CLIENTS_AT_RANDOM = 24, /* of a random schedule, at once */
};

struct world_plan {
    uint64_t seed;
    struct kernel_faults faults;
    uint32_t connections; /* limits.connections */
    uint32_t load;        /* parts of 1,000 of the time that the shard is busy */
    bool faulty_origins;
    bool allocations_fail; /* now and then, wolfSSL's and those of HTTP/2 */
    uint32_t fails_at;     /* this one alone of them, from 1; 0: none */
    bool reloads;
    enum world_listener listener;
    enum world_origins origins;
    const struct origin_link_plan *link;              /* how connections to origins go; NULL: by the seed */
    uint32_t steps;                                   /* of the world, before the shard is told to end */
    void (*step)(struct world *world, void *context); /* instead of random ones; NULL: those */
    /* Called once a turn, when the operations that have completed are handled, and timers and batches are not; or NULL. */
    void (*handled)(struct world *world, void *context);
    /* Called when the shard has ended, and its counters are still there; or NULL. */
    void (*ended)(struct world *world, void *context);
    void *context;
};

/* Counts of the steps of handshakes that pause, and of the charges of admission for steps (world_watch.c). */
struct world_pauses {
    uint64_t count;       /* of all pauses */
    uint32_t of_one;      /* the most in one task */
    uint32_t at_once;     /* the most tasks that were paused */
    uint64_t unserved;    /* turns in which tasks were paused when timers were due */
    uint64_t charges;     /* steps that were charged by an estimate */
    uint64_t spent;       /* and those whose cost has replaced it */
    int64_t estimates_ns; /* charged, and not yet replaced */
};

struct world {
    struct world_plan plan;
    struct shard_thread *thread;
    struct shard *shard; /* of that thread */
    struct stats stats;
    struct simulated_client clients[WORLD_CLIENTS_MAX];
    struct world_behind behind;
    struct client_counts counts;
    struct talk talk;
    WOLFSSL_SESSION *sessions[TALK_CERTIFICATES][TALK_HOSTS][2];
    bool enforced[TALK_HOSTS]; /* in every configuration so far */
    bool forgot;               /* a configuration has left a host out, and its counters with it */
    uint32_t connected;
    uint32_t reloads;
    uint64_t states[CONNECTION_STATES]; /* connections that were in it, whenever the shard waited */
    uint64_t timeouts;                  /* at the end: of handshakes and hellos */
    uint64_t evicted;
    uint64_t redirects; /* that were answered with one */
    uint32_t steps;
    uint32_t allocations; /* of those, while the shard ran */
    bool failed;          /* the allocation that the plan says */
    struct world_pauses pauses;
    bool ending;
    bool stopped; /* at once, in whatever state connections were */
};

/* Once for the process: configurations, certificates, contexts. */
void world_set_up(void);
/* Runs until the shard has ended. Returns the digest of all that has happened. */
uint64_t world_run(struct world *world, const struct world_plan *plan);

/* For steps of one's own. */
struct simulated_client *world_connect(struct world *world, const struct client_plan *plan, const char *from);
void world_reload(struct world *world, unsigned config);
void world_drain(struct world *world, uint32_t timeout_ms);
void world_stop(struct world *world);
/* Lets each origin do one thing. */
void world_act_for_origins(struct world *world);
/* Of all stages and reasons but the kernel's own drops; and of all handshakes with a result. */
uint64_t world_rejected(const struct world *world, enum stats_stage stage);
uint64_t world_handshakes(const struct world *world, enum stats_result result);

#endif
