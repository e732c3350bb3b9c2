/*
 * Latencies of one shard, by what took the time, in HDR histograms (Tene, HdrHistogram): 1 us to 60 s, three digits, fixed
 * memory of 1.1 MiB, all of it from the start. The shard records; one other thread takes the latencies that came since it
 * took the last ones, and never makes the shard wait.
 */
#ifndef STATS_LATENCY_H
#define STATS_LATENCY_H

#include <hdr/hdr_interval_recorder.h>
#include <stdatomic.h>
#include <stdint.h>

enum stats_latency {
    STATS_ACCEPT_TO_HELLO,                 /* until the hello is complete */
    STATS_HELLO_QUEUE,                     /* then until its turn comes */
    STATS_HANDSHAKE_FULL,                  /* from accept to the end of a handshake that succeeded, as the next */
    STATS_HANDSHAKE_RESUMED,               /* by a ticket */
    STATS_VERIFY_CACHED,                   /* to a verdict that was known */
    STATS_VERIFY_FULL,                     /* to one that took signatures */
    STATS_SHARD_LATENCIES,                 /* latencies above are recorded by shard, those below by host */
    STATS_REQUEST = STATS_SHARD_LATENCIES, /* from a request's head to the end of its answer */
    STATS_ORIGIN,                          /* from handing it to the origin to the head of the answer */
    STATS_LATENCY_COUNT
};

enum { LATENCY_MAX_US = 60 * 1000 * 1000 };

struct latencies {
    struct hdr_interval_recorder recorders[STATS_LATENCY_COUNT];
    _Atomic uint64_t recorded[STATS_LATENCY_COUNT]; /* so many since the start */
};

/* As in /stats.json: "accept_to_hello". A static text. */
const char *stats_latency_name(enum stats_latency what);

/* A histogram of the range and precision of all of them; hdr_close frees it. NULL when out of memory. */
struct hdr_histogram *latency_histogram(void);

/* 0 or -ENOMEM. */
int latency_create(struct latencies *latencies);
/* Also after a failure to create, or zeroed. */
void latency_destroy(struct latencies *latencies);

/* Records a latency, for the shard alone. Less than 1 us counts as 1 us, more than 60 s as 60 s. */
void latency_record(struct latencies *latencies, enum stats_latency what, uint64_t duration_ns);
/* Returns how many there have been, for any thread: whether it is worth while to take them. */
static inline uint64_t latency_count(const struct latencies *latencies, enum stats_latency what) {
    return atomic_load_explicit(&latencies->recorded[what], memory_order_relaxed);
}
/*
 * Returns the latencies recorded since the last call, in microseconds, in exchange for `recycled`, whose content is
 * forgotten and which is the recorder's from now on. For one thread at a time.
 */
struct hdr_histogram *latency_take(struct latencies *latencies, enum stats_latency what, struct hdr_histogram *recycled);

#endif
