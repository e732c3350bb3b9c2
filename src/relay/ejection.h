/*
 * The record of an origin that takes connections, and what it makes of requests: one that fails several in a row is passed
 * over for a while, for longer each time. Pure: the caller gives the time, and decides whether the host can spare the
 * origin.
 */
#ifndef RELAY_EJECTION_H
#define RELAY_EJECTION_H

#include <stdbool.h>
#include <stdint.h>

enum {
    EJECTION_FAILURES = 5,    /* in a row */
    EJECTION_STEP_MS = 10000, /* the first ejection lasts so long, and each one so much longer than the one before it */
    EJECTION_MAX_MS = 300000, /* but no longer than this; nor is the last one remembered for longer, once it is over */
};

/* All 0 at first. */
struct ejection {
    uint64_t until_ms; /* of the last one; 0: there was none */
    uint32_t steps;    /* that the last one had */
    uint32_t failures; /* in a row, since it answered well or was ejected */
};

/* An answer was good. */
static inline void ejection_succeed(struct ejection *ejection) {
    ejection->failures = 0;
}
/* It was not, or did not come. True: the origin has failed too often. */
bool ejection_fail(struct ejection *ejection);
/* Ejects the origin. Returns for how long, in milliseconds. */
uint32_t ejection_begin(struct ejection *ejection, uint64_t now_ms);
static inline bool ejection_holds(const struct ejection *ejection, uint64_t now_ms) {
    return now_ms < ejection->until_ms;
}

#endif
