/* The part of a run that its connections use: settings, counters, credentials, and what they report. load.h drives it. */
#ifndef BENCH_LOAD_LOAD_SHARED_H
#define BENCH_LOAD_LOAD_SHARED_H

#include "load/answer.h"
#include "load/certs.h"
#include "load/client_hello.h"
#include "load/forge.h"
#include "load/frames.h"
#include "load/intruder.h"
#include "load/load_options.h"
#include "load/tally.h"
#include "ring/ring.h"

enum { LOAD_FIRST_ERROR_SIZE = 512 };

struct load_connection;

/* A session of a valid client, in the hands of others: floods of tickets have it before they begin. */
struct stolen_session {
    struct client_ticket *ticket; /* NULL: there is none */
    uint8_t data[CLIENT_HELLO_TICKET_MAX];
    size_t size;
};

/* The events that connections report to the owner of the run. */
struct load_events {
    /* The handshake is complete. */
    void (*established)(void *owner, struct load_connection *connection);
    /* The connection is in CONNECTION_HOLDING. */
    void (*stands)(void *owner);
    /* The connection has no stream any more, and may be started again. */
    void (*closed)(void *owner, struct load_connection *connection);
};

struct load_shared {
    const struct load_options *options;
    const struct load_events *events;
    void *owner;
    struct ring ring;
    struct tally tally;                  /* counters since the start; latencies of the measured time */
    bool measures;                       /* latencies count now */
    struct certs certs;                  /* of clients; none where intruders have */
    struct forges forges;                /* of intruders */
    const struct stolen_session *stolen; /* NULL: no behaviour needs one */
    struct noise noise;
    struct client_hello hello;          /* of connections without a library, as the last one sent it */
    struct client_hello resuming_hello; /* the same with a ticket of their own */
    uint32_t source_next;
    uint32_t host_next;
    struct bytes request;                    /* the one head for all connections; owned */
    uint32_t ticketed;                       /* connections that have had a ticket */
    char first_error[LOAD_FIRST_ERROR_SIZE]; /* empty: nothing failed */
    struct intruder_shared intruders;
    uint8_t flight[INTRUDER_FLIGHT_MAX]; /* of the intruder whose turn it is */
    struct answer_room room;             /* of the head under parsing */
    struct frames frames;                /* that one connection writes, and sends before it returns */
    uint8_t plaintext[16 * 1024];
};

static inline void load_count(struct load_shared *shared, enum tally_counter counter) {
    shared->tally.counters[counter]++;
}
void load_count_outcome(struct load_shared *shared, unsigned outcome);
/* Records the time since `since_ns`, if it is the time to measure. */
void load_record(struct load_shared *shared, enum tally_latency latency, uint64_t since_ns);
/* Keeps the first error. */
void load_note_error(struct load_shared *shared, const char *kind, const char *text);
/* Returns the next address to connect from, host byte order. */
uint32_t load_next_source(struct load_shared *shared);
/*
 * Sends now what has been written. After a step of a handshake: with dozens of them in one turn of the ring, the server
 * would otherwise wait for the last before it gets the first.
 */
void load_flush(struct load_shared *shared);

#endif
