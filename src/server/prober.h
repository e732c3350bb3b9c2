/*
 * Probes the origins of all hosts with `health`, in the control thread, and tells: the shards by the board (relay/
 * health_board.h), the pages by the counters of hosts, people by one line in the log for each change.
 *
 * The first probe of an origin goes at once, the second at a random time of its interval, so that the probes of many origins
 * spread over it, and each later one an interval after the one before, give or take a tenth. At most PROBER_PROBES_MAX are
 * in flight at once, and the others wait their turn; of these places origins whose last probe failed get three quarters
 * together, so that many which do not answer never hold up the probes of those that do.
 */
#ifndef SERVER_PROBER_H
#define SERVER_PROBER_H

#include "base/random.h"
#include "dns/set.h"
#include "relay/health_board.h"
#include "server/probe.h"

enum {
    PROBER_PROBES_MAX = 64,                /* each has a file descriptor (server/capacity) */
    PROBER_DOUBTFUL_MAX = 48,              /* of origins whose last probe failed */
    PROBER_CHUNKS = PROBER_PROBES_MAX * 2, /* send chunks that the ring needs for all of them */
};

struct prober_host;

struct prober {
    struct ring *ring;
    struct health_board *board;
    struct config *config;     /* this and the next: counted; NULL before the first configuration */
    struct stats_hosts *stats; /* of the same hosts */
    struct prober_host *hosts; /* those with health */
    size_t host_count;
    struct tls_memory *memory; /* for probes over TLS; NULL: none is */
    struct slab probes;
    struct list waiting[2]; /* targets that wait for a place; those whose last probe failed in the second */
    uint32_t in_flight;     /* probes, also those that only close */
    uint32_t doubtful_in_flight;
    struct random_stock random; /* for the times of probes */
};

/* 0 or -ENOMEM. `board` must outlive it. */
int prober_create(struct prober *prober, struct ring *ring, struct health_board *board);
/*
 * Probes the origins of `config` from now on, and no others. An origin that was probed before in the same host, for the same
 * path and statuses and over the same protocol, keeps its state and goes on where it was; all others are up until they fail.
 * Takes its own references.
 */
void prober_configure(struct prober *prober, struct config *config, struct stats_hosts *stats);
/*
 * The origin, one of config->hosts[host].origins that is a name, stands for the addresses of `set` from now on. Those that
 * it had before, or that another origin of the host has, go on as they were. Of another configuration than that which is
 * probed: nothing happens.
 */
void prober_take_addresses(struct prober *prober, const struct config *config, size_t host, size_t origin,
                           const struct dns_set *set);
/* Ends all probes, and begins no more. */
void prober_close(struct prober *prober);
/* Returns whether nothing of it is left in the ring. After prober_close. */
bool prober_is_closed(const struct prober *prober);
void prober_destroy(struct prober *prober);

#endif
