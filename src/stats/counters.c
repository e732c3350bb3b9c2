#include "stats/counters.h"

#include "base/check.h"

#define US UINT64_C(1000)
#define MS (1000 * US)
#define S  (1000 * MS)

/* Finest where handshakes and canned answers are, 50 us to 1 ms; the last are the timeouts' order of magnitude. */
static const uint64_t bounds_ns[] = {
    10 * US, 25 * US, 50 * US,  75 * US,  100 * US, 150 * US, 250 * US,  500 * US, 1 * MS, 2500 * US, 5 * MS, 10 * MS,
    25 * MS, 50 * MS, 100 * MS, 250 * MS, 500 * MS, 1 * S,    2500 * MS, 5 * S,    10 * S, 30 * S,    60 * S,
};
_Static_assert(ARRAY_LENGTH(bounds_ns) == STATS_BUCKETS - 1, "each bucket but the last has a bound");

uint64_t stats_bucket_bound_ns(unsigned bucket) {
    CHECK(bucket < STATS_BUCKETS);
    return bucket < ARRAY_LENGTH(bounds_ns) ? bounds_ns[bucket] : UINT64_MAX;
}

void stats_record(struct stats_histogram *histogram, uint64_t duration_ns) {
    unsigned bucket = 0;
    while (bucket < ARRAY_LENGTH(bounds_ns) && duration_ns > bounds_ns[bucket]) {
        bucket++;
    }
    stats_add(&histogram->buckets[bucket], 1);
    stats_add(&histogram->sum_ns, duration_ns);
}

uint64_t stats_handshakes(const struct stats_shard *shard, enum stats_result result, enum stats_kind kind) {
    uint64_t sum = 0;
    for (unsigned version = 0; version < STATS_VERSION_COUNT; version++) {
        for (unsigned group = 0; group < KEY_GROUP_COUNT; group++) {
            sum += stats_read(&shard->handshakes[result][kind][version][group]);
        }
    }
    return sum;
}

uint64_t stats_requests(const struct stats_host *block, unsigned slot) {
    uint64_t sum = 0;
    for (unsigned protocol = 0; protocol < STATS_PROTOCOL_COUNT; protocol++) {
        sum += stats_read(&block->requests[slot][protocol]);
    }
    return sum;
}

void stats_time(struct stats_shard *shard, enum stats_latency what, uint64_t duration_ns) {
    CHECK(what < STATS_SHARD_LATENCIES);
    stats_record(&shard->seconds[what], duration_ns);
    latency_record(&shard->latencies, what, duration_ns);
}

void stats_time_of_host(struct stats_shard *shard, struct stats_histogram *histogram, enum stats_latency what,
                        uint64_t duration_ns) {
    CHECK(what >= STATS_SHARD_LATENCIES);
    stats_record(histogram, duration_ns);
    latency_record(&shard->latencies, what, duration_ns);
}
