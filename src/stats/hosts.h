/*
 * The counters of hosts. A set of them goes with a configuration, and a host that the next configuration has too goes on
 * counting where it was. A set is immutable and counted; it may be held by any thread.
 */
#ifndef STATS_HOSTS_H
#define STATS_HOSTS_H

#include "base/term.h"
#include "stats/counters.h"
#include "stats/recent.h"

/* What is known of a host from its configuration. */
struct stats_host_facts {
    const char *host;
    const char *file;   /* of the certificate that it serves */
    int64_t not_before; /* this and the next: of that, seconds since the epoch; 0: not known */
    int64_t not_after;
    const char *mode;           /* a static text, as in the configuration; NULL is none */
    const char *const *origins; /* their addresses, `origin_count`, 64 at most */
    size_t origin_count;
    const struct term *client_cas; /* its roots, the earliest end first */
    size_t client_ca_count;
    const struct term *crls; /* its issuers of revocation lists, each once, likewise */
    size_t crl_count;
    bool takes_old_crls; /* crl_stale: accept */
};

/*
 * Counters for `count` hosts in each of `shard_count` shards, those of hosts that `previous` has too being the same; else
 * all are 0. `facts` has one for each host, no two of one name, and is copied with its texts. `previous` may be NULL
 * and else has as many shards. One reference; NULL when out of memory.
 */
struct stats_hosts *stats_hosts_create(unsigned shard_count, const struct stats_host_facts *facts, size_t count,
                                       const struct stats_hosts *previous);
struct stats_hosts *stats_hosts_retain(struct stats_hosts *hosts);
/* NULL is allowed. */
void stats_hosts_release(struct stats_hosts *hosts);

size_t stats_hosts_count(const struct stats_hosts *hosts);
unsigned stats_hosts_shards(const struct stats_hosts *hosts);
const struct stats_host_facts *stats_hosts_facts(const struct stats_hosts *hosts, size_t host);
/* For hosts in mode report, else NULL: of the thread that samples, and of a shard. They stay with the name, as counters do.
 */
struct rollout *stats_hosts_rollout(const struct stats_hosts *hosts, size_t host);
struct rollout_clients *stats_hosts_rollout_clients(const struct stats_hosts *hosts, size_t host, unsigned shard);
/* What it did of late, for the thread that samples. It stays with the name, as counters do. */
struct recent *stats_hosts_recent(const struct stats_hosts *hosts, size_t host);
/* Returns a host's counter, which stands at `offset` in its blocks, added up over the shards. */
uint64_t stats_hosts_sum(const struct stats_hosts *hosts, size_t host, size_t offset);
/* Its counters as recent.h has them, all shards together. */
void stats_hosts_counts(const struct stats_hosts *hosts, size_t host, uint64_t counts[static RECENT_COUNTS]);
/* A bit for each of its origins whose last connection failed, in any shard. */
uint64_t stats_hosts_origins_down(const struct stats_hosts *hosts, size_t host);
/* A shard's own block, 64-byte aligned: no other shard writes to its cache lines. */
struct stats_host *stats_hosts_at(const struct stats_hosts *hosts, size_t host, unsigned shard);

#endif
