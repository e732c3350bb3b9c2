/* The begin and end of most tests of relay/: one scripted origin, one relay to it, and the counts of the relay. */
#ifndef TESTS_RELAY_SCENE_H
#define TESTS_RELAY_SCENE_H

#include "bench.h"

extern struct bench bench;
extern struct fake_origin fake;

/* Starts `fake` with a script and its context, and `bench` towards it. */
void begin(void (*serve)(struct fake_origin *origin, int socket, int number), void *context);
/* Ends both, in the order in which nothing is left over. */
void finish(void);

/* Scripts: answers each request with "hello". */
void serve_forever(struct fake_origin *origin, int socket, int number);
/* Likewise, once the test has set its signal to 1. */
void serve_when_told(struct fake_origin *origin, int socket, int number);
/* Answers one request with "hello", and closes. */
void serve_one_each(struct fake_origin *origin, int socket, int number);
/* Answers each request with the text that is the context, and keeps the connection open. */
void say_context(struct fake_origin *origin, int socket, int number);

/* Counts of `bench`. */
static inline uint64_t events(enum stats_origin_event event) {
    return stats_read(&bench.counters.origin_connections[event]);
}
static inline uint64_t results(enum stats_origin_result result) {
    return stats_read(&bench.counters.origin_requests[result]);
}

#endif
