/*
 * The road from report to enforce: what a host in mode report would have answered with 403, over the last hour and day;
 * and who those are. For hosts in that mode only.
 */
#ifndef STATS_ROAD_H
#define STATS_ROAD_H

#include "base/reason.h"
#include "stats/sketch.h"

#include <pthread.h>

enum { ROAD_MINUTES = 60, ROAD_HOURS = 24 };

/* Zeroed before its first use. Of the thread that samples. */
struct road {
    uint32_t minutes[ROAD_MINUTES][REASON_COUNT];
    uint32_t hours[ROAD_HOURS][REASON_COUNT];
    uint64_t before[REASON_COUNT]; /* the counters, when they were read last */
    uint64_t minute;               /* when that was */
    bool begun;
};

/* `counters` as they stand now; `minute` of a clock that only goes forward. What came before the first call is left out. */
void road_sample(struct road *road, const uint64_t counters[static REASON_COUNT], uint64_t minute);
/* The minute that has begun and the 59 before it; the hour that has begun and the 23 before it. */
uint64_t road_last_hour(const struct road *road, enum reason reason);
uint64_t road_last_day(const struct road *road, enum reason reason);

/* One shard's, which notes; another thread may read, for which it waits no longer than a copy takes. */
struct road_names {
    _Alignas(64) pthread_mutex_t lock;
    struct sketch issuers;
    struct sketch skis;
};
void road_note(struct road_names *names, struct bytes issuer, struct bytes ski);
/* Adds what they have to `issuers` and `skis`. */
void road_gather(struct road_names *names, struct sketch *issuers, struct sketch *skis);

/* Valid clients by the days that their certificate has left: fewer than so many; the last are all others. */
enum { ROAD_SPANS = 6 };
extern const unsigned road_span_days[ROAD_SPANS - 1];
unsigned road_span_of(int64_t seconds_left);

#endif
