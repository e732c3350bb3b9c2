/*
 * A configuration snapshot made ready for one shard: TLS contexts for its hosts, pools of connections to its origins, and
 * what can be computed once. Each connection holds the site that it was accepted under, so a later snapshot can take over
 * for new connections while old ones end under theirs.
 */
#ifndef EDGE_SITE_H
#define EDGE_SITE_H

#include "base/error.h"
#include "config/config.h"
#include "relay/relay.h"
#include "ring/mailbox.h"
#include "ring/ring.h"
#include "stats/hosts.h"
#include "tls/context.h"
#include "tls/tickets.h"

#include <semaphore.h>

struct site {
    struct mail mail;         /* by which it comes to its shard */
    sem_t *taken;             /* posted when the shard has it; NULL for the first one */
    uint32_t connections_max; /* the shard's part of limits.connections */
    uint32_t references;      /* of this shard only */
    struct site *next;        /* of the shard's sites that were replaced and still have users */
    struct config *config;
    struct stats_hosts *stats;                                /* by config_host.index */
    struct tls_context *(*contexts)[CONFIG_CERTIFICATES_MAX]; /* by config_host.index, and the place in its certificates */
    struct identity **absent; /* by config_host.index: the identity of a client without certificate */
    struct relay *relay;
};

/*
 * NULL with one line in `error`. The result has one reference, and its own to `config` and `stats`. `tickets` and
 * `health` must outlive it. `idle_max`: as relay_limit_idle has it. May be made in another thread than the one that will own
 * it, which is the ring's.
 */
struct site *site_create(struct ring *ring, struct config *config, struct stats_hosts *stats, struct tls_tickets *tickets,
                         struct health_board *health, uint32_t idle_max, struct error *error);
struct site *site_retain(struct site *site);
/* Whether the shard's counters are to say which of its origins are down. In its thread. */
void site_watch_origins(struct site *site, unsigned shard, bool watch);
/* Frees it with its last reference; its relay must be closed and idle by then. */
void site_release(struct site *site);

#endif
