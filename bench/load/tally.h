/* The counters and latencies of a run. */
#ifndef BENCH_LOAD_TALLY_H
#define BENCH_LOAD_TALLY_H

#include "load/outcome.h"

struct hdr_histogram;

enum tally_counter {
    TALLY_CONNECTIONS,      /* begun */
    TALLY_HANDSHAKES,       /* complete, full and resumed */
    TALLY_RESUMED,          /* of these, the resumed ones */
    TALLY_ANSWERS,          /* whole, with the expected status */
    TALLY_CONNECT_FAILED,   /* refused, reset or timed out before a byte */
    TALLY_TLS_FAILED,       /* alert, protocol error, or the server closed during the handshake */
    TALLY_CLOSED,           /* the server closed or reset a connection that was to stay or owed an answer */
    TALLY_HTTP_FAILED,      /* an answer that is not HTTP */
    TALLY_STATUS_FAILED,    /* an answer with another status */
    TALLY_NOT_RESUMED,      /* a full handshake where one was to be resumed, or no ticket for the next */
    TALLY_TIMED_OUT,        /* no connection, handshake or answer within --timeout */
    TALLY_OUTCOMES,         /* hostile connections that have come to an outcome */
    TALLY_UNEXPECTED,       /* of these, the ones that were not what --expect has */
    TALLY_REPEATS,          /* of the attacks over HTTP/2 */
    TALLY_STREAMS_ANSWERED, /* of these attacks' streams: the server has ended its side */
    TALLY_STREAMS_RESET,    /* ... or sent RST_STREAM */
    TALLY_BYTES_SENT,       /* on closed connections */
    TALLY_BYTES_RECEIVED,
    TALLY_COUNTERS,
};

enum tally_latency {
    LATENCY_HANDSHAKE, /* connect() to Finished */
    LATENCY_REQUEST,   /* GET to the end of its answer */
    LATENCY_EXCHANGE,  /* connect() to the end of the answer */
    LATENCY_CONNECT,   /* connect() to connected */
    LATENCY_OUTCOME,   /* connect() to what came of a hostile connection */
    LATENCIES,
};

struct tally {
    uint64_t counters[TALLY_COUNTERS];
    uint64_t outcomes[OUTCOMES];
    struct hdr_histogram *latencies[LATENCIES]; /* ns */
};

/* Names for reports: lower case with underscores. */
const char *tally_counter_name(enum tally_counter counter);
const char *tally_latency_name(enum tally_latency latency);

/* 0, or -ENOMEM. */
int tally_create(struct tally *tally);
void tally_destroy(struct tally *tally);
/* Longer ones than the histogram's range, a minute, count as a minute. */
void tally_record(struct tally *tally, enum tally_latency latency, uint64_t ns);
void tally_reset_latencies(struct tally *tally);
/* Returns the failures of all kinds between two sets of counters; `from` may be NULL. */
uint64_t tally_failures(const uint64_t *from, const uint64_t to[TALLY_COUNTERS]);

#endif
