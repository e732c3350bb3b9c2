/*
 * All that a scrape reads: the shards' blocks, the hosts of the configuration that is served, and what belongs to the
 * process. prometheus.c makes the page of it, report.c the JSON.
 */
#ifndef STATS_STATS_H
#define STATS_STATS_H

#include "stats/hosts.h"
#include "stats/process.h"

#include <pthread.h>

/* Counts of the cache of verdicts, as identity/cache.h has them. */
struct stats_cache {
    uint64_t hits;
    uint64_t misses;
    uint64_t evictions;
    uint64_t entries;
};

struct access_log;

struct stats {
    struct stats_shard *shards; /* 64-byte aligned */
    unsigned shard_count;
    pthread_mutex_t hosts_lock; /* guards the pointer */
    struct stats_hosts *hosts;
    stats_counter reloads[STATS_RELOAD_COUNT];  /* this and the next three: written by the thread that reloads */
    stats_counter last_reload_failed;           /* 1: the newest reload failed, and an older configuration is served */
    stats_counter loaded_s;                     /* when the configuration that is served was loaded, since the epoch */
    stats_counter connections_limit;            /* limits.connections in effect */
    stats_counter dns_lookups[STATS_DNS_COUNT]; /* written by the thread that makes them */
    void (*read_cache)(void *owner, struct stats_cache *counts); /* NULL: all 0 */
    void *cache_owner;
    const struct access_log *access_log; /* NULL: off */
    struct process_reading process;      /* the newest; only the thread that renders touches it */
    int64_t started_s;                   /* when the server was ready to serve, since the epoch */
    uint64_t process_started_ns;         /* when the process began, since the epoch */
    const char *version;                 /* this and the next two: not owned, never NULL */
    const char *wolfssl;
    const char *crypto;
};

/*
 * 0 or -ENOMEM. `shard_count` is at least 1. All counters are 0, there are no hosts, and the texts are "": set them before
 * the first scrape.
 */
int stats_create(struct stats *stats, unsigned shard_count);
/* Also gives back its reference to the hosts. */
void stats_destroy(struct stats *stats);
/* Shows `hosts` from now on, also to a scrape in another thread. Takes a reference. */
void stats_set_hosts(struct stats *stats, struct stats_hosts *hosts);
/* Returns the hosts that are shown now, and a reference to them; NULL when there are none. */
struct stats_hosts *stats_take_hosts(struct stats *stats);

/* Returns a shard's counter, which stands at `offset` in its block, added up over the shards. */
uint64_t stats_sum(const struct stats *stats, size_t offset);

/* Notes that the configuration of the start was loaded. */
void stats_note_start(struct stats *stats, int64_t now_s);
/* Notes that another configuration was loaded, or that it was not and the one before is served on. */
void stats_note_reload(struct stats *stats, enum stats_reload result, int64_t now_s);

/*
 * Returns the whole /metrics page, Prometheus text format 0.0.4: malloc'd, *size bytes; NULL when out of memory. The
 * counters of one page are read one after another while their shards go on counting. About 100 lines a host.
 */
char *stats_render_prometheus(struct stats *stats, size_t *size);

struct sampler;
/*
 * Returns /stats.json, which docs/stats.md describes: malloc'd, *size bytes; NULL when out of memory. Only the sampler's
 * thread may call it.
 */
char *stats_render_json(struct stats *stats, struct sampler *sampler, size_t *size);

#endif
