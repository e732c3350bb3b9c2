#include "stats/stats.h"

#include "base/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE_LINE = 64 };

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

/* Zeroed, and in cache lines of its own, so that no two shards write to the same one. NULL when out of memory. */
static void *allocate_lines(size_t count, size_t object_size) {
    size_t size;
    if (__builtin_mul_overflow(count, object_size, &size) || size > SIZE_MAX - CACHE_LINE) {
        return NULL;
    }
    size = (size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    void *memory = aligned_alloc(CACHE_LINE, size);
    if (memory != NULL) {
        memset(memory, 0, size);
    }
    return memory;
}

int stats_create(struct stats *stats, unsigned shard_count, const char **host_names, size_t host_count) {
    CHECK(shard_count > 0);
    *stats = (struct stats){.host_names = host_names, .host_count = host_count, .version = "", .wolfssl = "", .crypto = ""};
    stats->shards = allocate_lines(shard_count, sizeof *stats->shards);
    if (stats->shards == NULL) {
        return -ENOMEM;
    }
    stats->shard_count = shard_count;
    for (unsigned shard = 0; shard < shard_count && host_count > 0; shard++) {
        stats->shards[shard].hosts = allocate_lines(host_count, sizeof *stats->shards[shard].hosts);
        if (stats->shards[shard].hosts == NULL) {
            stats_destroy(stats);
            return -ENOMEM;
        }
    }
    return 0;
}

void stats_destroy(struct stats *stats) {
    for (unsigned shard = 0; shard < stats->shard_count; shard++) {
        free(stats->shards[shard].hosts);
    }
    free(stats->shards);
    *stats = (struct stats){0};
}
