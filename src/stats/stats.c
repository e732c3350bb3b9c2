#include "stats/stats.h"

#include "base/check.h"
#include "stats/hosts.h"
#include "stats/lines.h"

#include <errno.h>
#include <stdlib.h>

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

static void free_shards(struct stats *stats) {
    for (unsigned i = 0; i < stats->shard_count; i++) {
        latency_destroy(&stats->shards[i].latencies);
    }
    free(stats->shards);
    *stats = (struct stats){0};
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

int stats_create(struct stats *stats, unsigned shard_count) {
    CHECK(shard_count > 0);
    *stats = (struct stats){.version = "", .wolfssl = "", .crypto = ""};
    stats->shards = lines_allocate(shard_count, sizeof *stats->shards);
    if (stats->shards == NULL) {
        return -ENOMEM;
    }
    stats->shard_count = shard_count;
    for (unsigned i = 0; i < shard_count; i++) {
        if (latency_create(&stats->shards[i].latencies) < 0) {
            free_shards(stats);
            return -ENOMEM;
        }
    }
    CHECK(pthread_mutex_init(&stats->hosts_lock, NULL) == 0);
    return 0;
}

void stats_destroy(struct stats *stats) {
    stats_hosts_release(stats->hosts);
    CHECK(pthread_mutex_destroy(&stats->hosts_lock) == 0);
    free_shards(stats);
}

void stats_set_hosts(struct stats *stats, struct stats_hosts *hosts) {
    stats_hosts_retain(hosts);
    pthread_mutex_lock(&stats->hosts_lock);
    struct stats_hosts *before = stats->hosts;
    stats->hosts = hosts;
    pthread_mutex_unlock(&stats->hosts_lock);
    stats_hosts_release(before);
}

struct stats_hosts *stats_take_hosts(struct stats *stats) {
    pthread_mutex_lock(&stats->hosts_lock);
    struct stats_hosts *hosts = stats->hosts == NULL ? NULL : stats_hosts_retain(stats->hosts);
    pthread_mutex_unlock(&stats->hosts_lock);
    return hosts;
}

void stats_note_start(struct stats *stats, int64_t now_s) {
    uint64_t began_ns = process_start_ns();
    stats->started_s = now_s;
    stats->process_started_ns = began_ns > 0 ? began_ns : (uint64_t)now_s * 1000000000;
    stats_set(&stats->loaded_s, (uint64_t)now_s);
}

void stats_note_reload(struct stats *stats, enum stats_reload result, int64_t now_s) {
    CHECK(result < STATS_RELOAD_COUNT);
    stats_set(&stats->last_reload_failed, result != STATS_RELOAD_OK);
    if (result == STATS_RELOAD_OK) {
        stats_set(&stats->loaded_s, (uint64_t)now_s);
    }
    stats_add(&stats->reloads[result], 1);
}
