/* All relay state of one shard, and the life of one origin connection: opened, in use, idle in its origin's pool, closed. */
#ifndef RELAY_POOL_H
#define RELAY_POOL_H

#include "relay/origin.h"
#include "relay/relay.h"

/* RELAY_*_MS, but for tests, which have no time to wait for them. */
struct relay_timeouts {
    uint32_t connect_ms;
    uint32_t response_ms;
    uint32_t idle_ms;
    uint32_t down_ms;
};

struct relay {
    struct ring *ring;
    const struct config *config;
    struct relay_timeouts timeouts;
    struct relay_counters counters;
    struct slab connections;      /* relay_connection; as many as the ring has streams, which run out first */
    struct slab exchanges;        /* relay_exchange */
    struct slab buffers;          /* one for each exchange: see exchange.h */
    struct relay_host *hosts;     /* as in config->hosts */
    struct relay_origin *origins; /* of all hosts */
    uint32_t origin_count;
    struct relay_connection *newest_of_all;
    struct relay_connection *oldest_of_all;
    uint32_t idle_total;     /* idle connections in all pools */
    uint32_t idle_total_max; /* RELAY_IDLE_TOTAL_MAX; less in tests */
    uint64_t quiet_until_ms; /* until then a shortage is not logged again */
    bool closing;
};

struct relay_connection {
    struct relay *relay;
    struct relay_origin *origin;
    struct stream *stream;
    struct relay_exchange *exchange; /* NULL while idle or closing */
    struct relay_connection *newer;  /* in the pool */
    struct relay_connection *older;
    struct relay_connection *newer_of_all; /* in the relay's list of all that are idle */
    struct relay_connection *older_of_all;
    struct timer idle;
};

/* Begins to connect for `exchange`. `handler` needs pool_closed as its closed(). NULL with *error, a negative errno. */
struct relay_connection *pool_open(struct relay *relay, struct relay_origin *origin, const struct stream_handler *handler,
                                   struct relay_exchange *exchange, int *error);
/* The most recently used idle connection, for `exchange` from now on. Its receive is armed. NULL when there is none. */
struct relay_connection *pool_take(struct relay *relay, struct relay_origin *origin, const struct stream_handler *handler,
                                   struct relay_exchange *exchange);
/* A connection on which nothing is outstanding becomes idle; the one idle for longest makes room when there are too many. */
void pool_put(struct relay_connection *connection);
/* For a connection that is not idle. It is not to be used any more. */
void pool_close(struct relay_connection *connection);
void pool_closed(struct stream *stream);

#endif
