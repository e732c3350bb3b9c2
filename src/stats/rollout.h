/*
 * The rollout of mode enforce at a host that is in mode report: how many requests enforce would have answered with 403, over
 * the last hour and day, and which clients sent them. For hosts in mode report only.
 */
#ifndef STATS_ROLLOUT_H
#define STATS_ROLLOUT_H

#include "base/reason.h"
#include "stats/sketch.h"

#include <pthread.h>

enum { ROLLOUT_MINUTES = 60, ROLLOUT_HOURS = 24 };

/* Zeroed before its first use. Only the sampling thread touches it. */
struct rollout {
    uint32_t minutes[ROLLOUT_MINUTES][REASON_COUNT];
    uint32_t hours[ROLLOUT_HOURS][REASON_COUNT];
    uint64_t before[REASON_COUNT]; /* the counters at the last sample */
    uint64_t minute;               /* of the last sample */
    bool begun;
};

/*
 * Takes a sample of `counters`. `minute` comes from a clock that only goes forward. Counts from before the first
 * sample are left out.
 */
void rollout_sample(struct rollout *rollout, const uint64_t counters[static REASON_COUNT], uint64_t minute);
/* Returns the count of the current minute and the 59 before it. */
uint64_t rollout_last_hour(const struct rollout *rollout, enum reason reason);
/* Returns the count of the current hour and the 23 before it. */
uint64_t rollout_last_day(const struct rollout *rollout, enum reason reason);

/* The clients whose requests enforce would have refused, of one shard, which notes them. Another thread may read. */
struct rollout_clients {
    _Alignas(64) pthread_mutex_t lock; /* held no longer than it takes to copy both sketches */
    struct sketch issuers;
    struct sketch skis;
};
void rollout_note_client(struct rollout_clients *clients, struct bytes issuer, struct bytes ski);
/* Adds the content of both sketches to `issuers` and `skis`. */
void rollout_gather_clients(struct rollout_clients *clients, struct sketch *issuers, struct sketch *skis);

/* Valid clients by the days that their certificate has left: span i is fewer than rollout_span_days[i]; the last span has
 * the rest. */
enum { ROLLOUT_SPANS = 6 };
extern const unsigned rollout_span_days[ROLLOUT_SPANS - 1];
unsigned rollout_span_of(int64_t seconds_left);

#endif
