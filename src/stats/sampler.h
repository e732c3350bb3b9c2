/*
 * Counters and latencies over time: a sample once a second, of what came since the one before, kept for five minutes; and
 * latencies of the last ten seconds and since the start. Fixed memory of 7 MiB, for one thread, which is no shard's.
 */
#ifndef STATS_SAMPLER_H
#define STATS_SAMPLER_H

#include "stats/findings.h"
#include "stats/stats.h"

#include <hdr/hdr_histogram.h>

enum {
    SAMPLER_INTERVAL_MS = 1000,
    SAMPLER_HISTORY = 300, /* samples that are kept */
    SAMPLER_SLOT = 2,      /* samples that are put together */
    SAMPLER_WINDOW = 5,    /* slots that are the last ten seconds */
    SAMPLER_RECENT = 10,   /* samples that tell how the server stands */
    SAMPLER_MINUTE = 60,
};

/* Each a second, where it does not say otherwise. */
enum sampler_series {
    SAMPLER_HANDSHAKES_FULL,
    SAMPLER_HANDSHAKES_RESUMED,
    SAMPLER_HANDSHAKES_FAILED, /* and those that timed out */
    SAMPLER_REQUESTS,
    SAMPLER_REQUESTS_2XX, /* of these, by the answer's code, as the next three */
    SAMPLER_REQUESTS_3XX,
    SAMPLER_REQUESTS_4XX,
    SAMPLER_REQUESTS_5XX,
    SAMPLER_REJECTED, /* one for each stage */
    SAMPLER_CERTS_VALID = SAMPLER_REJECTED + STATS_STAGE_COUNT,
    SAMPLER_CERTS_INVALID,
    SAMPLER_CERTS_NONE,
    SAMPLER_CACHE_HITS,
    SAMPLER_CACHE_MISSES,
    SAMPLER_RECEIVED_BYTES,
    SAMPLER_SENT_BYTES,
    SAMPLER_WORK_KNOWN,  /* cores */
    SAMPLER_WORK_OTHERS, /* likewise */
    SAMPLER_COUNTERS,
    SAMPLER_CONNECTIONS = SAMPLER_COUNTERS, /* that are open, at the end of the second; from here on nothing is a rate */
    SAMPLER_ADMISSION_STATE,                /* the highest of all shards */
    SAMPLER_HANDSHAKE_FULL_P50,             /* seconds; NAN when there was none, as the next */
    SAMPLER_HANDSHAKE_FULL_P99,
    SAMPLER_REQUEST_P50,
    SAMPLER_REQUEST_P99,
    SAMPLER_SERIES
};

struct sampler {
    struct stats *stats;
    uint64_t sampled_ms;  /* when the newest sample ended */
    int64_t sampled_at_s; /* likewise, since the epoch */
    uint32_t samples;     /* since the start */
    uint64_t before[SAMPLER_COUNTERS];
    float history[SAMPLER_SERIES][SAMPLER_HISTORY];                    /* sample n at n % SAMPLER_HISTORY */
    struct hdr_histogram *window[STATS_LATENCY_COUNT][SAMPLER_WINDOW]; /* slot n at n % SAMPLER_WINDOW */
    struct hdr_histogram *since_start[STATS_LATENCY_COUNT];
    uint64_t places_refused[SAMPLER_MINUTE]; /* counters, as they stood at sample n, at n % SAMPLER_MINUTE */
    uint64_t log_dropped[SAMPLER_MINUTE];
    struct findings findings; /* of the newest sample */
    struct findings_marks marks;
    struct hdr_histogram *newest;  /* one kind's of one sample */
    struct hdr_histogram *scratch; /* of sampler_latest */
    struct hdr_histogram *recycled;
    uint64_t *taken; /* how many each shard had recorded of each kind at the last sample */
};

/* `stats` must outlive it. 0 or -ENOMEM. */
int sampler_create(struct sampler *sampler, struct stats *stats, uint64_t now_ms, int64_t now_s);
/* Also after a failure to create. */
void sampler_destroy(struct sampler *sampler);

/* Takes a sample if a second has passed since the last one. `now_ms` is monotonic, `now_s` since the epoch. */
void sampler_tick(struct sampler *sampler, uint64_t now_ms, int64_t now_s);

/* Returns how long it is until the next sample, at most. */
static inline uint64_t sampler_wait_ms(const struct sampler *sampler, uint64_t now_ms) {
    uint64_t elapsed_ms = now_ms - sampler->sampled_ms;
    return elapsed_ms < SAMPLER_INTERVAL_MS ? SAMPLER_INTERVAL_MS - elapsed_ms : 0;
}

/* As in /stats.json: "rejected_accept". A static text. */
const char *sampler_series_name(enum sampler_series series);
/* Returns how many samples there are, 300 at most; and the value in one of them, 0 being the oldest. */
uint32_t sampler_count(const struct sampler *sampler);
float sampler_value(const struct sampler *sampler, enum sampler_series series, uint32_t at);

/* Returns the latencies of the last nine to ten seconds, in microseconds; valid until the next call. */
const struct hdr_histogram *sampler_latest(struct sampler *sampler, enum stats_latency what);
const struct hdr_histogram *sampler_since_start(const struct sampler *sampler, enum stats_latency what);

#endif
