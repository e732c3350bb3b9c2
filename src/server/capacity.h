/*
 * How many connections the process may have: limits.connections, as far as the file descriptors allow. A client's connection
 * takes one file descriptor for its origin; its own socket is a direct descriptor of io_uring, and one ring may have no more
 * of these than the process may have file descriptors.
 */
#ifndef SERVER_CAPACITY_H
#define SERVER_CAPACITY_H

#include "config/config.h"

enum { CAPACITY_TEXT_SIZE = 448 };

/* The things that need descriptors. */
struct capacity_need {
    uint32_t connections; /* limits.connections: 1 to SETTINGS_CONNECTIONS_MAX */
    bool is_set;          /* false: limits.connections is not set, so that fewer will do */
    unsigned shards;      /* at least 1 */
    size_t listeners;     /* at least 1 */
};

struct capacity {
    uint32_t connections;     /* limits.connections in effect; 0: not even one for each shard fits */
    uint32_t connections_max; /* the most to which a reload may raise it */
    uint32_t unset;           /* limits.connections under a later configuration that does not set it */
    uint32_t idle;            /* idle connections in the pools of one shard, 1 to RELAY_IDLE_TOTAL_MAX */
};

/* Returns how many file descriptors `connections` need, with at most `idle` idle connections in the pools of each shard. */
uint64_t capacity_descriptors(const struct capacity_need *need, uint32_t connections, uint32_t idle);

/*
 * Returns what fits in `descriptors`. When limits.connections is set and does not fit, `connections` is the largest number
 * that does, below need->connections. Before there are fewer connections, the pools shrink to as many idle connections as a
 * shard may have clients.
 */
struct capacity capacity_plan(const struct capacity_need *need, uint64_t descriptors);

/*
 * Raises the process's limit of file descriptors as far as it is of use and allowed, and plans with the limit that results.
 * 0, with a warning in `text` when the limit keeps limits.connections lower than it could be, else with ""; or -1 with an
 * error in `text`. Warning and error say how to raise the limit.
 */
int capacity_settle(const struct config *config, unsigned shards, struct capacity *capacity,
                    char text[static CAPACITY_TEXT_SIZE]);

/*
 * Adds a warning to config->warnings when limits.connections does not fit in the descriptors that this process may have. A
 * server that is started in another way may have more.
 */
void capacity_warn(struct config *config);

/* Returns limits.connections under `config`, in a server that was started with `capacity`. */
uint32_t capacity_connections(const struct capacity *capacity, const struct config *config);

#endif
