/* A run: its connections, its phases, and what comes out of it. One thread, one ring. */
#ifndef BENCH_LOAD_LOAD_H
#define BENCH_LOAD_LOAD_H

#include "load/certs.h"
#include "load/connection.h"
#include "load/forge.h"
#include "load/hello.h"
#include "load/loot.h"
#include "load/pace.h"
#include "load/progress.h"
#include "load/tally.h"

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
    const struct options *options;
    struct ring ring;
    struct tally tally;   /* counters since the start; latencies of the measured time */
    struct certs certs;   /* of clients; none where intruders have */
    struct forges forges; /* theirs */
    struct loot loot;
    struct pace pace;
    struct progress progress;
    struct noise noise;
    struct hello hello; /* what hostile connections say, as it was last */
    uint32_t source_next;
    struct bytes request; /* the GET; owned */
    struct connection *connections;
    struct connection *free_first; /* those that may be started, longest free first */
    struct connection *free_last;
    uint32_t opening;  /* started, and neither stand nor gone */
    uint32_t stand;    /* in CONNECTION_HOLDING */
    uint32_t open;     /* connections with a stream */
    uint32_t ticketed; /* connections that have had a ticket; what is measured begins when all have */
    enum load_phase phase;
    uint64_t phase_end_ns;
    struct load_mark begin; /* of the measured time */
    struct load_mark end;
    uint32_t in_flight_at_end; /* connections that were owed something when the measured time ended */
    uint64_t oldest_in_flight_ns;
    char tls[64];                      /* version and suite */
    char first_error[LOAD_ERROR_SIZE]; /* empty: nothing failed */
    char fatal[LOAD_ERROR_SIZE];       /* why the run was given up; empty: it was not */
    struct intruder_school school;
    uint8_t flight[INTRUDER_FLIGHT_MAX]; /* of the intruder whose turn it is */
    struct http_message message;         /* of the head under parsing */
    struct http_header headers[HTTP_HEADERS_MAX];
    uint8_t plaintext[16 * 1024];
};

/* Runs to the end. 0, or -1 with one line in load->fatal when it could not begin. `load` is zeroed memory. */
int load_run(struct load *load, const struct options *options);
void load_destroy(struct load *load);

/* Whether all went as it should: no failure, nothing unexpected, and as many as were asked for. */
bool load_is_good(const struct load *load);
/* Failures of all kinds between two counter sets; `from` may be NULL. */
uint64_t load_failures(const uint64_t *from, const uint64_t to[TALLY_COUNTERS]);

/* What connections report and ask. */

static inline void load_count(struct load *load, enum tally_counter counter) {
    load->tally.counters[counter]++;
}
void load_count_outcome(struct load *load, unsigned outcome);
/* The time since `since_ns`, if it is the time to measure. */
void load_record(struct load *load, enum tally_latency latency, uint64_t since_ns);
/* Keeps the first one. */
void load_note_error(struct load *load, const char *kind, const char *text);
void load_connection_established(struct load *load, struct connection *connection);
void load_connection_stands(struct load *load);
/* May start it again. */
void load_connection_closed(struct load *load, struct connection *connection);
/* The next address to connect from, host byte order. */
uint32_t load_next_source(struct load *load);
/*
 * Sends now what has been written. After a step of a handshake: with dozens of them in one turn of the ring, the server
 * would otherwise wait for the last before it gets the first.
 */
void load_flush(struct load *load);

#endif
