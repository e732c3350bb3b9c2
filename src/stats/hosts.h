/*
 * The counters of hosts. Each configuration has a set of hosts; a host that the next configuration has too goes on counting
 * where it was. A set is immutable and has a reference count; any thread may hold one.
 */
#ifndef STATS_HOSTS_H
#define STATS_HOSTS_H

#include "base/term.h"
#include "stats/counters.h"
#include "stats/recent.h"

/* The needs of a host that end. */
enum stats_terms {
    STATS_CERTIFICATES,        /* that it serves, by their files */
    STATS_CLIENT_CAS,          /* the roots of its clients, by their subjects */
    STATS_CRLS,                /* its issuers of revocation lists, each once */
    STATS_ORIGIN_CAS,          /* the roots of its origins, by their subjects */
    STATS_ORIGIN_CERTIFICATES, /* that it shows to origins, by their files */
    STATS_TERMS
};

/* Facts about a host, from its configuration. */
struct stats_host_facts {
    const char *host;
    struct term_list terms[STATS_TERMS];
    const char *mode;           /* a static text, as in the configuration; NULL is none */
    bool is_tcp;                /* protocol: tcp */
    const char *const *origins; /* as its file has them, STATS_ORIGINS_MAX at most, no two the same */
    size_t origin_count;
    bool takes_old_crls; /* crl_stale: accept */
    bool probed;         /* its origins have health checks, which say whether they are up */
    bool required;       /* the process is not ready while all its origins are down */
};

/*
 * Makes counters for `count` hosts in each of `shard_count` shards. A host that `previous` has too keeps its counters; all
 * others are 0. `facts` has one element for each host, no two of one name, and is copied with its texts. `previous` may be
 * NULL, and else has as many shards. The result has one reference; NULL when out of memory.
 */
struct stats_hosts *stats_hosts_create(unsigned shard_count, const struct stats_host_facts *facts, size_t count,
                                       const struct stats_hosts *previous);
struct stats_hosts *stats_hosts_retain(struct stats_hosts *hosts);
/* NULL is allowed. */
void stats_hosts_release(struct stats_hosts *hosts);

size_t stats_hosts_count(const struct stats_hosts *hosts);
unsigned stats_hosts_shards(const struct stats_hosts *hosts);
const struct stats_host_facts *stats_hosts_facts(const struct stats_hosts *hosts, size_t host);
/*
 * Return the rollout of a host, which only the sampling thread touches, and a shard's clients of it. NULL unless the host is
 * in mode report. They stay with the name of the host, as counters do.
 */
struct rollout *stats_hosts_rollout(const struct stats_hosts *hosts, size_t host);
struct rollout_clients *stats_hosts_rollout_clients(const struct stats_hosts *hosts, size_t host, unsigned shard);
/* Returns a host's last minutes, which only the sampling thread touches. They stay with the name, as counters do. */
struct recent *stats_hosts_recent(const struct stats_hosts *hosts, size_t host);
/* Returns a host's counter, which stands at `offset` in its blocks, added up over the shards and the control thread. */
uint64_t stats_hosts_sum(const struct stats_hosts *hosts, size_t host, size_t offset);
/* Returns a host's requests that were answered with the codes of a slot (stats/labels.h), likewise and in any protocol. */
uint64_t stats_hosts_requests(const struct stats_hosts *hosts, size_t host, unsigned slot);
/* Adds a host's counters up over the shards, as recent.h has them. */
void stats_hosts_counts(const struct stats_hosts *hosts, size_t host, uint64_t counts[static RECENT_COUNTS]);
/*
 * Returns a bit for each origin of a host that is down: by its health checks if the host is probed, else because the last
 * connection to it failed, in any shard.
 */
struct bits stats_hosts_origins_down(const struct stats_hosts *hosts, size_t host);
/* Returns whether the host is required, and all its origins are down. */
bool stats_hosts_is_missed(const struct stats_hosts *hosts, size_t host);
/*
 * Returns texts that say why the origins of a probed host are down: "status 503"; "" at first. NULL when it is not probed.
 * Only the control thread touches them. They stay with the name of the host, as counters do.
 */
char (*stats_hosts_why(const struct stats_hosts *hosts, size_t host))[STATS_WHY_SIZE];
/* Returns a shard's own block of a host, 64-byte aligned: no other shard writes to its cache lines. */
struct stats_host *stats_hosts_at(const struct stats_hosts *hosts, size_t host, unsigned shard);
/* Returns the control thread's own block, likewise. */
struct stats_host *stats_hosts_at_control(const struct stats_hosts *hosts, size_t host);

#endif
