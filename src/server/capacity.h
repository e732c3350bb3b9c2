/*
 * How many connections the process may have: limits.connections, as far as the file descriptors allow. A client's
 * connection takes one for its origin; its own is a direct descriptor of io_uring, of which one ring may have no more than
 * the process may have file descriptors.
 */
#ifndef SERVER_CAPACITY_H
#define SERVER_CAPACITY_H

#include "config/config.h"

enum { CAPACITY_TEXT_SIZE = 448 };

/* What the descriptors are shared out to. */
struct capacity_need {
    uint32_t connections; /* limits.connections: 1 to SETTINGS_CONNECTIONS_MAX */
    bool is_set;          /* else that is what there are at most */
    unsigned shards;      /* at least 1 */
    size_t listeners;     /* at least 1 */
};

struct capacity {
    uint32_t connections;     /* limits.connections in effect; 0: not even one for each shard fits */
    uint32_t connections_max; /* what a reload may raise it to */
    uint32_t unset;           /* limits.connections under a later configuration that does not set it */
    uint32_t idle;            /* idle connections in the pools of one shard, 1 to RELAY_IDLE_TOTAL_MAX */
};

/* File descriptors that so many connections need, with so many idle connections in the pools of each shard at most. */
uint64_t capacity_descriptors(const struct capacity_need *need, uint32_t connections, uint32_t idle);

/*
 * What fits in `descriptors`. Where the number is set and does not fit, `connections` is the largest that does, below
 * need->connections. Pools shrink, to as many idle connections as a shard may have clients, before connections do.
 */
struct capacity capacity_plan(const struct capacity_need *need, uint64_t descriptors);

/*
 * Raises the process's limit of file descriptors as far as it is of use and allowed, and plans with what it is then. 0, with
 * a warning in `text` when limits.connections is less than it could be without that limit, else ""; or -1 with what is in
 * the way. Either says what raises the limit.
 */
int capacity_settle(const struct config *config, unsigned shards, struct capacity *capacity,
                    char text[static CAPACITY_TEXT_SIZE]);

/*
 * Adds a warning to config->warnings where connections would not fit in what this process may have: a server that is started
 * otherwise may have more.
 */
void capacity_warn(struct config *config);

/* limits.connections under `config`, in a server that was started with `capacity`. */
uint32_t capacity_connections(const struct capacity *capacity, const struct config *config);

#endif
