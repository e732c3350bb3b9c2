/*
 * The control thread: work that belongs to the process and to no shard, in a thread and ring of its own, so that it never
 * delays a shard. Shards read what it publishes and never wait for it. It runs the admin listener, samples the counters once
 * a second for that, probes origins, and wipes ticket keys that have expired. Other periodic work of the process (fetches of
 * revocation data, sharing with other hosts) has its place beside these: a duty is a timer of this ring.
 */
#ifndef SERVER_CONTROL_H
#define SERVER_CONTROL_H

#include "config/config.h"
#include "dns/set.h"
#include "relay/health_board.h"
#include "ring/worker.h"
#include "stats/stats.h"
#include "tls/tickets.h"

struct control_plan {
    struct config *config;       /* the first one; the thread takes its own references, as to the next */
    struct stats_hosts *hosts;   /* the counters of its hosts */
    struct stats *stats;         /* must outlive the thread, as the next two */
    struct tls_tickets *tickets; /* the process's ticket keys */
    struct health_board *health; /* where shards read which origins are down */
    int admin_listener;          /* a listening socket, owned from now on; -1: no admin listener */
};

struct control;

/* Starts the thread, and returns when it accepts. NULL with one line in `error`; the socket is then closed. */
struct control *control_start(const struct control_plan *plan, struct error *error);
/* Posts a configuration that has replaced the one before, and the counters of its hosts. Takes its own references. */
void control_post_config(struct control *control, struct config *config, struct stats_hosts *hosts);
/*
 * Posts mail that is delivered in the thread, with `control` as its owner. From any thread, until control_stop; that drops
 * mail that has not been delivered.
 */
void control_post(struct control *control, struct mail *mail);
/* An origin of a configuration that was posted stands for other addresses: as prober_take_addresses. In the thread. */
void control_take_addresses(struct control *control, const struct config *config, size_t host, size_t origin,
                            const struct dns_set *set);
/* Has /readyz say from now on that the process drains. From any thread. */
void control_set_draining(struct control *control);
/* Ends the admin listener's connections, the probes and the thread, waits for that, and frees `control`. */
void control_stop(struct control *control);

#endif
