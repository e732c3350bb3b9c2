/*
 * All relay state of one shard (create.c makes it), and the life of one origin connection: opened, in use, idle in its
 * origin's pool, closed.
 */
#ifndef RELAY_POOL_H
#define RELAY_POOL_H

#include "relay/link.h"
#include "relay/origin.h"
#include "relay/relay.h"

/* RELAY_*_MS; tests set shorter ones. Those that an operator sets are its origins': config_timeouts. */
struct relay_timeouts {
    uint32_t idle_ms;
    uint32_t fresh_ms;
    uint32_t down_ms;
    uint32_t line_ms;
    uint32_t ping_ms;
    uint32_t ping_again_ms;
};

struct relay {
    struct ring *ring;
    const struct config *config;
    struct relay_timeouts timeouts;
    struct slab connections;     /* relay_connection; as many as the ring has streams, which run out first */
    struct slab channels;        /* relay_channel; likewise */
    struct slab exchanges;       /* relay_exchange */
    struct slab buffers;         /* one for each exchange, or two: see exchange.h */
    struct slab origins;         /* relay_origin */
    struct list leaving;         /* those of addresses that are gone */
    struct ring_task end_unused; /* ends those of them that nothing points to any more */
    struct relay_host *hosts;    /* as in config->hosts */
    uint32_t origin_count;       /* of all hosts, without those that leave */
    struct health_board *board;  /* NULL: no health checks are heeded */
    struct list idle;            /* connections in all pools, the most recently used first */
    struct list owned;           /* idle connections, each for one client alone; likewise */
    uint32_t idle_total;         /* idle connections in all pools */
    uint32_t idle_total_max;     /* RELAY_IDLE_TOTAL_MAX, or less: relay_limit_idle */
    uint32_t owned_total;
    uint32_t owned_total_max; /* RELAY_OWNED_MAX; less in tests */
    uint32_t shards;          /* of the process: relay_share */
    uint32_t channels_max;    /* RELAY_CHANNELS_MAX, and the next RELAY_WAITING_MAX; less in tests */
    uint32_t waiting_max;
    struct tls_memory *tls; /* NULL: all origins speak in the clear */
    struct list put_off;    /* exchanges that begin at the end of the turn, by `begin` */
    struct ring_task begin;
    uint64_t quiet_until_ms; /* until then a shortage is not logged again */
    bool closing;
};

struct relay_connection {
    struct relay *relay;
    struct relay_origin *origin;
    struct relay_link link;
    struct relay_exchange *exchange; /* NULL while idle or closing */
    struct relay_client *client;     /* while idle: the only one that may use it; NULL when it is in a pool */
    bool signed_in;                  /* a client has signed in on it: it never gets into a pool */
    bool said;                       /* while idle: the origin has said how long it will keep it */
    uint64_t idle_since_ms;
    uint64_t idle_until_ms; /* UINT64_MAX: until one side closes it */
    struct list in_origin;  /* its origin's pool */
    struct list in_relay;   /* the relay's list of connections in pools, or of owned ones */
    struct timer idle;
};

_Static_assert((int)RELAY_IDLE_SAID_MAX_MS > (int)RELAY_IDLE_MARGIN_MS, "the margin is taken off");

/* Begins to connect for `exchange`. `handler` needs pool_closed as its closed(). NULL with *error, a negative errno. */
struct relay_connection *pool_open(struct relay *relay, struct relay_origin *origin, const struct link_handler *handler,
                                   struct relay_exchange *exchange, int *error);
/*
 * Takes the most recently used idle connection, for `exchange` from now on. Its receive is armed. NULL when there is none on
 * which nothing has come, or, where the request must not be lost (`precious`), none that the origin will surely keep.
 */
struct relay_connection *pool_take(struct relay *relay, struct relay_origin *origin, bool precious,
                                   const struct link_handler *handler, struct relay_exchange *exchange);
/*
 * Takes the client's own connection; or closes it when it belongs to another relay or host, when its origin is unhealthy,
 * when something has come on it, or when it is not fit for a `precious` request. A connection on which a client has signed
 * in is fit: no other could take its place.
 */
struct relay_connection *pool_take_owned(struct relay *relay, const struct relay_host *host, struct relay_client *client,
                                         bool precious, const struct link_handler *handler, struct relay_exchange *exchange);
/*
 * Makes a connection idle, on which nothing is outstanding. When there are too many, closes the one that was idle for
 * longest. `client`: only this client may take the connection. `keep_s`: as http_keep_alive_s says, not 0.
 */
void pool_put(struct relay_connection *connection, struct relay_client *client, uint32_t keep_s);
/* Closes a connection that is not idle. It is not to be used any more. */
void pool_close(struct relay_connection *connection);
/* Likewise, of which neither side needs to hear any more: the kernel keeps nothing, no port either (see stream_reset). */
void pool_reset(struct relay_connection *connection);
/* As pool_close, but what is queued leaves. */
void pool_finish(struct relay_connection *connection);
void pool_closed(struct relay_link *link);
/* Counts how the link's handshake with the origin has ended, if it has TLS and has come to its end. */
void pool_count_handshake(const struct relay_origin *origin, const struct relay_link *link);
/* Returns where a link to the origin goes. */
struct link_target pool_target(struct relay *relay, struct relay_origin *origin);
/* Nothing points to the origin any more that did, and is counted in origin->uses. It may end at the end of the turn. */
void pool_let_go(struct relay *relay, struct relay_origin *origin);
/* Closes all idle connections; those to one origin. */
void pool_empty(struct relay *relay);
void pool_empty_origin(struct relay *relay, const struct relay_origin *origin);

#endif
