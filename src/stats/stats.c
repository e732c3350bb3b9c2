#include "stats/stats.h"

#include "base/check.h"
#include "stats/lines.h"

#include <errno.h>
#include <stdlib.h>

static void free_shards(struct stats *stats) {
    for (unsigned i = 0; i < stats->shard_count; i++) {
        latency_destroy(&stats->shards[i].latencies);
    }
    free(stats->shards);
    *stats = (struct stats){0};
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

uint64_t stats_sum(const struct stats *stats, size_t offset) {
    uint64_t sum = 0;
    CHECK(offset <= sizeof(struct stats_shard) - sizeof(stats_counter));
    for (unsigned shard = 0; shard < stats->shard_count; shard++) {
        const char *block = (const char *)&stats->shards[shard];
        sum += stats_read((const stats_counter *)(const void *)(block + offset));
    }
    return sum;
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
