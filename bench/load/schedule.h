/*
 * When connections are due in an open loop: at a rate, whatever the server does. One that could not begin in time is still
 * due when it was, and its latencies count from then.
 */
#ifndef BENCH_LOAD_SCHEDULE_H
#define BENCH_LOAD_SCHEDULE_H

#include "ring/ring.h"

#include <stdbool.h>

struct schedule {
    uint64_t rate; /* a second; 0: a closed loop, where one is due as soon as there is room for it */
    uint64_t first_ns;
    uint64_t begun;
    uint64_t wake_ns; /* the ring will be woken then; past: it will not */
};

/* From now on. */
void schedule_begin(struct schedule *schedule, uint64_t rate, uint64_t now_ns);
/* Whether the next one is due; *due_ns is since when, and `now_ns` in a closed loop. */
bool schedule_is_due(const struct schedule *schedule, uint64_t now_ns, uint64_t *due_ns);
/*
 * Before ring_turn: sees that it ends when the next one is due, as exactly as the kernel can. False: one is due so soon that
 * it should not sleep at all. In a closed loop there is nothing to wait for, and it may sleep.
 */
bool schedule_sleep(struct schedule *schedule, struct ring *ring, uint64_t now_ns);

#endif
