/* A run: its connections, its phases, and what comes out of it. One thread, one ring. */
#ifndef BENCH_LOAD_LOAD_H
#define BENCH_LOAD_LOAD_H

#include "load/load_connection.h"
#include "load/progress.h"
#include "load/schedule.h"

enum {
    LOAD_ERROR_SIZE = 512,
    LOAD_OPENING_MAX_S = 120, /* how long it may take until all connections stand, or have a ticket */
};

enum load_phase {
    LOAD_WARMING,
    LOAD_MEASURING, /* for behaviours that hold: until all stand */
    LOAD_HOLDING,
    LOAD_ENDING,
};

/* A moment of the run. */
struct load_mark {
    uint64_t ns;     /* monotonic */
    uint64_t cpu_ns; /* used by this process */
    uint64_t counters[TALLY_COUNTERS];
    uint64_t outcomes[OUTCOMES];
};

struct load {
    struct load_shared shared;
    struct schedule schedule;
    struct progress progress;
    struct load_connection *connections;
    struct load_connection *free_first; /* those that may be started, longest free first */
    struct load_connection *free_last;
    uint32_t opening; /* started, and neither stand nor gone */
    uint32_t stand;   /* in CONNECTION_HOLDING */
    uint32_t open;    /* connections with a stream */
    enum load_phase phase;
    uint64_t phase_end_ns;
    struct load_mark begin; /* of the measured time */
    struct load_mark end;
    uint32_t in_flight_at_end; /* connections that were owed something when the measured time ended */
    uint64_t oldest_in_flight_ns;
    char tls[64];                /* version and suite */
    char fatal[LOAD_ERROR_SIZE]; /* why the run was given up; empty: it was not */
};

/*
 * Runs to the end. 0, or -1 with one line in load->fatal when it could not begin. `load` is zeroed memory. `stolen`: for
 * behaviours whose tickets are TICKETS_STOLEN or TICKETS_REPLAYED, else NULL; it must outlive the run.
 */
int load_run(struct load *load, const struct load_options *options, const struct stolen_session *stolen);
void load_destroy(struct load *load);
/* A signal handler: the measured time, and what follows it, is over now. */
void load_stop(int signal);

/* Returns whether all went as it should: no failure, nothing unexpected, and as many as were asked for. */
bool load_is_good(const struct load *load);

#endif
