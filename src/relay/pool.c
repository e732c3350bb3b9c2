#include "relay/pool.h"

#include "base/check.h"
#include "http/persistence.h"
#include "ring/ring.h"

static struct relay_connection *of_link(struct relay_link *link) {
    return CONTAINER_OF(link, struct relay_connection, link);
}

static struct relay_connection *of_origin_link(struct list *link) {
    return CONTAINER_OF(link, struct relay_connection, in_origin);
}

static struct relay_connection *of_relay_link(struct list *link) {
    return CONTAINER_OF(link, struct relay_connection, in_relay);
}

static void unlink_from_origin(struct relay_connection *connection) {
    list_remove(&connection->in_origin);
    connection->origin->idle_count--;
    connection->relay->idle_total--;
}

static void link_to_origin(struct relay_connection *connection) {
    list_prepend(&connection->origin->idle, &connection->in_origin);
    connection->origin->idle_count++;
    connection->relay->idle_total++;
}

static void unlink_idle(struct relay_connection *connection) {
    list_remove(&connection->in_relay);
    if (connection->client == NULL) {
        unlink_from_origin(connection);
    } else {
        connection->client->connection = NULL;
        connection->client = NULL;
        connection->relay->owned_total--;
    }
    timer_clear(&connection->relay->ring->timers, &connection->idle);
}

static void close_idle(struct relay_connection *connection) {
    unlink_idle(connection);
    connection->exchange = NULL;
    link_part(&connection->link);
}

/* The origin has closed an idle connection, or has spoken on it unasked: no request may use the connection any more. */
static void idle_received(struct relay_link *link, struct bytes data) {
    origin_count(of_link(link)->origin, STATS_ORIGIN_DROPPED);
    close_idle(of_link(link));
}

static void idle_failed(struct relay_link *link, int error) {
    origin_count(of_link(link)->origin, STATS_ORIGIN_DROPPED);
    close_idle(of_link(link));
}

/* Closes an idle connection whose time is over, or whose place in the pool is needed. */
static void expire(struct relay_connection *connection) {
    origin_count(connection->origin, STATS_ORIGIN_EXPIRED);
    close_idle(connection);
}

static void idle_expired(struct timer *timer) {
    expire(CONTAINER_OF(timer, struct relay_connection, idle));
}

static const struct link_handler idle_handler = {
    .received = idle_received,
    .failed = idle_failed,
    .closed = pool_closed,
};

void pool_count_handshake(const struct relay_origin *origin, const struct relay_link *link) {
    enum stats_origin_handshake outcome;

    if (link->tls != NULL && tls_stream_handshake(link->tls, &outcome) && origin->host->counters != NULL) {
        stats_add(&origin->host->counters->origin_handshakes[outcome], 1);
    }
}

struct link_target pool_target(struct relay *relay, struct relay_origin *origin) {
    return (struct link_target){
        .ring = relay->ring,
        .address = &origin->address,
        .tls = origin->tls.context != NULL ? &origin->tls : NULL,
        .memory = relay->tls,
    };
}

struct relay_connection *pool_open(struct relay *relay, struct relay_origin *origin, const struct link_handler *handler,
                                   struct relay_exchange *exchange, int *error) {
    struct relay_connection *connection = slab_take(&relay->connections);

    *error = -ENOBUFS;
    if (connection == NULL) {
        return NULL;
    }
    *connection = (struct relay_connection){.relay = relay, .origin = origin, .exchange = exchange};
    timer_init(&connection->idle, idle_expired);
    struct link_target target = pool_target(relay, origin);
    *error = link_connect(&connection->link, &target, handler);
    if (*error < 0) {
        slab_give(&relay->connections, connection);
        return NULL;
    }
    origin->uses++;
    origin_count(origin, STATS_ORIGIN_OPENED);
    return connection;
}

/* Returns whether the origin will read what is sent on the connection now, as far as that can be known. */
static bool is_fit(const struct relay_connection *connection, bool precious) {
    uint64_t now_ms = ring_now_ms(connection->relay->ring);

    if (now_ms >= connection->idle_until_ms) {
        return false;
    }
    return !precious || connection->said || now_ms - connection->idle_since_ms <= connection->relay->timeouts.fresh_ms;
}

static struct relay_connection *use(struct relay_connection *connection, const struct link_handler *handler,
                                    struct relay_exchange *exchange) {
    unlink_idle(connection);
    connection->exchange = exchange;
    connection->link.handler = handler;
    origin_count(connection->origin, STATS_ORIGIN_REUSED);
    return connection;
}

struct relay_connection *pool_take(struct relay *relay, struct relay_origin *origin, bool precious,
                                   const struct link_handler *handler, struct relay_exchange *exchange) {
    for (struct list *each = list_first(&origin->idle); each != NULL;) {
        struct relay_connection *connection = of_origin_link(each);

        if (!is_fit(connection, precious)) {
            break;
        }
        enum link_state state = link_state(&connection->link);
        if (state == LINK_QUIET) {
            return use(connection, handler, exchange);
        }
        each = list_after(&origin->idle, each);
        if (state == LINK_SPEAKS) {
            continue;
        }
        origin_count(connection->origin, STATS_ORIGIN_DROPPED);
        close_idle(connection);
    }
    return NULL;
}

struct relay_connection *pool_take_owned(struct relay *relay, const struct relay_host *host, struct relay_client *client,
                                         bool precious, const struct link_handler *handler,
                                         struct relay_exchange *exchange) {
    struct relay_connection *connection = client->connection;

    if (connection == NULL) {
        return NULL;
    }
    if (connection->relay != relay || connection->origin->host != host || origin_is_unhealthy(connection->origin) ||
        !is_fit(connection, precious && !connection->signed_in)) {
        close_idle(connection);
        return NULL;
    }
    if (link_state(&connection->link) != LINK_QUIET) {
        origin_count(connection->origin, STATS_ORIGIN_DROPPED);
        close_idle(connection);
        return NULL;
    }
    return use(connection, handler, exchange);
}

/* Such an origin gives up its own oldest connection, so that requests to one host do not close those of another. */
static bool has_more_than_its_part(const struct relay *relay, const struct relay_origin *origin) {
    uint32_t part = relay->idle_total_max / (relay->origin_count > 0 ? relay->origin_count : 1);

    return origin->idle_count > (part > 0 ? part : 1);
}

void relay_client_leave(struct relay_client *client) {
    if (client->connection != NULL) {
        close_idle(client->connection);
    }
}

/* Returns how long to keep a connection: less than the origin has said, so that this side closes first. */
static uint64_t said_ms(uint32_t keep_s) {
    uint64_t ms = (uint64_t)keep_s * 1000;

    if (ms > RELAY_IDLE_SAID_MAX_MS) {
        return RELAY_IDLE_SAID_MAX_MS;
    }
    return ms > RELAY_IDLE_MARGIN_MS ? ms - RELAY_IDLE_MARGIN_MS : ms / 2;
}

/* A connection on which a client has signed in ends only when the origin has said so: no other could take its place. */
static void begin_idling(struct relay_connection *connection, uint32_t keep_s) {
    struct relay *relay = connection->relay;
    uint64_t now_ms = ring_now_ms(relay->ring);

    connection->idle_since_ms = now_ms;
    connection->idle_until_ms = UINT64_MAX;
    connection->said = keep_s != HTTP_KEEP_ALIVE_UNSAID;
    if (connection->said || !connection->signed_in) {
        uint64_t keep_ms = connection->said ? said_ms(keep_s) : relay->timeouts.idle_ms;

        connection->idle_until_ms = now_ms + keep_ms;
        timer_set(&relay->ring->timers, &connection->idle, now_ms, (uint32_t)keep_ms);
    }
}

void pool_put(struct relay_connection *connection, struct relay_client *client, uint32_t keep_s) {
    struct relay *relay = connection->relay;

    CHECK(link_has_sent_all(&connection->link) && keep_s > 0 && (client == NULL || client->connection == NULL));
    CHECK(client != NULL || !connection->signed_in);
    connection->exchange = NULL;
    connection->client = client;
    connection->link.handler = &idle_handler;
    list_prepend(client == NULL ? &relay->idle : &relay->owned, &connection->in_relay);
    begin_idling(connection, keep_s);
    /* The only way to learn that the origin has closed it. */
    link_receive(&connection->link);
    if (client != NULL) {
        client->connection = connection;
        relay->owned_total++;
        origin_count(connection->origin, STATS_ORIGIN_OWNED);
        if (relay->owned_total > relay->owned_total_max) {
            expire(of_relay_link(list_last(&relay->owned)));
        }
        return;
    }
    link_to_origin(connection);
    origin_count(connection->origin, STATS_ORIGIN_POOLED);
    if (relay->idle_total > relay->idle_total_max) {
        expire(has_more_than_its_part(relay, connection->origin) ? of_origin_link(list_last(&connection->origin->idle))
                                                                 : of_relay_link(list_last(&relay->idle)));
    }
}

void pool_reset(struct relay_connection *connection) {
    connection->exchange = NULL;
    link_reset(&connection->link);
}

void pool_close(struct relay_connection *connection) {
    connection->exchange = NULL;
    link_close(&connection->link);
}

void pool_finish(struct relay_connection *connection) {
    connection->exchange = NULL;
    link_finish(&connection->link);
}

void pool_closed(struct relay_link *link) {
    struct relay_connection *connection = of_link(link);

    pool_let_go(connection->relay, connection->origin);
    slab_give(&connection->relay->connections, connection);
}

void pool_empty(struct relay *relay) {
    while (!list_is_empty(&relay->idle)) {
        close_idle(of_relay_link(list_first(&relay->idle)));
    }
    while (!list_is_empty(&relay->owned)) {
        close_idle(of_relay_link(list_first(&relay->owned)));
    }
}

void pool_let_go(struct relay *relay, struct relay_origin *origin) {
    CHECK(origin->uses > 0);
    if (--origin->uses == 0 && origin->leaves) {
        ring_defer(relay->ring, &relay->end_unused);
    }
}

void pool_empty_origin(struct relay *relay, const struct relay_origin *origin) {
    while (!list_is_empty(&origin->idle)) {
        close_idle(of_origin_link(list_first(&origin->idle)));
    }
    for (struct list *link = list_first(&relay->owned); link != NULL;) {
        struct relay_connection *connection = of_relay_link(link);

        link = list_after(&relay->owned, link);
        if (connection->origin == origin) {
            close_idle(connection);
        }
    }
}
