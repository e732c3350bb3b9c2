/*
 * The control thread: work that belongs to the process and to no shard, in a thread and ring of its own, so that it never
 * delays a shard. Shards read what it publishes and never wait for it. It runs the admin listener, samples the counters once
 * a second for that, and wipes ticket keys that have expired. Other periodic work of the process (health checks, fetches of
 * revocation data, sharing with other hosts) has its place beside these: a duty is a timer of this ring.
 */
#ifndef SERVER_CONTROL_H
#define SERVER_CONTROL_H

#include "config/config.h"
#include "ring/worker.h"
#include "stats/stats.h"
#include "tls/tickets.h"

struct control_plan {
    struct config *config;       /* the first one; the thread takes its own reference */
    struct stats *stats;         /* must outlive the thread, as the next */
    struct tls_tickets *tickets; /* the process's ticket keys */
    int admin_listener;          /* a listening socket, owned from now on; -1: no admin listener */
};

struct control;

/* Starts the thread, and returns when it accepts. NULL with one line in `error`; the socket is then closed. */
struct control *control_start(const struct control_plan *plan, struct error *error);
/* Posts a configuration that has replaced the one before. Takes its own reference. */
void control_post_config(struct control *control, struct config *config);
/* Has /readyz say from now on that the process drains. From any thread. */
void control_set_draining(struct control *control);
/* Ends the admin listener's connections and the thread, waits for that, and frees `control`. */
void control_stop(struct control *control);

#endif
