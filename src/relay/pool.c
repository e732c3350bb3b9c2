#include "relay/pool.h"

#include "base/check.h"
#include "relay/exchange.h"

#include <stdlib.h>

static struct relay_connection *of_stream(struct stream *stream) {
    return stream->owner;
}

static void unlink_idle(struct relay_connection *connection) {
    struct relay_origin *origin = connection->origin;
    struct relay *relay = connection->relay;

    *(connection->newer == NULL ? &origin->newest : &connection->newer->older) = connection->older;
    *(connection->older == NULL ? &origin->oldest : &connection->older->newer) = connection->newer;
    connection->newer = connection->older = NULL;
    *(connection->newer_of_all == NULL ? &relay->newest_of_all : &connection->newer_of_all->older_of_all) =
        connection->older_of_all;
    *(connection->older_of_all == NULL ? &relay->oldest_of_all : &connection->older_of_all->newer_of_all) =
        connection->newer_of_all;
    connection->newer_of_all = connection->older_of_all = NULL;
    origin->idle_count--;
    relay->idle_total--;
    timer_clear(&relay->ring->timers, &connection->idle);
}

static void close_idle(struct relay_connection *connection) {
    unlink_idle(connection);
    pool_close(connection);
}

/* The origin closes it, or says what nobody asked for: either way the next request must not meet it. */
static void idle_received(struct stream *stream, struct bytes data) {
    of_stream(stream)->relay->counters.dropped++;
    close_idle(of_stream(stream));
}

static void idle_failed(struct stream *stream, int error) {
    of_stream(stream)->relay->counters.dropped++;
    close_idle(of_stream(stream));
}

static void idle_expired(struct timer *timer) {
    struct relay_connection *connection = CONTAINER_OF(timer, struct relay_connection, idle);

    connection->relay->counters.expired++;
    close_idle(connection);
}

static const struct stream_handler idle_handler = {
    .received = idle_received,
    .failed = idle_failed,
    .closed = pool_closed,
};

struct relay_connection *pool_open(struct relay *relay, struct relay_origin *origin, const struct stream_handler *handler,
                                   struct relay_exchange *exchange, int *error) {
    const struct config_address *address = origin->address;
    struct relay_connection *connection = slab_take(&relay->connections);

    *error = -ENOBUFS;
    if (connection == NULL) {
        return NULL;
    }
    *connection = (struct relay_connection){.relay = relay, .origin = origin, .exchange = exchange};
    timer_init(&connection->idle, idle_expired);
    connection->stream =
        stream_connect(relay->ring, (const struct sockaddr *)&address->address, address->size, handler, connection, error);
    if (connection->stream == NULL) {
        slab_give(&relay->connections, connection);
        return NULL;
    }
    connection->stream->favoured = true; /* what comes was asked for by somebody who has been let in */
    relay->counters.opened++;
    return connection;
}

struct relay_connection *pool_take(struct relay *relay, struct relay_origin *origin, const struct stream_handler *handler,
                                   struct relay_exchange *exchange) {
    struct relay_connection *connection = origin->newest;

    if (connection == NULL) {
        return NULL;
    }
    unlink_idle(connection);
    connection->exchange = exchange;
    connection->stream->handler = handler;
    relay->counters.reused++;
    return connection;
}

/* Such an origin makes room itself, so that requests to one host do not cost another its connections. */
static bool has_more_than_its_part(const struct relay *relay, const struct relay_origin *origin) {
    uint32_t part = relay->idle_total_max / relay->origin_count;

    return origin->idle_count > (part > 0 ? part : 1);
}

void pool_put(struct relay_connection *connection) {
    struct relay *relay = connection->relay;
    struct relay_origin *origin = connection->origin;

    CHECK(connection->stream->queue.size == 0);
    connection->exchange = NULL;
    connection->stream->handler = &idle_handler;
    connection->newer = NULL;
    connection->older = origin->newest;
    *(origin->newest == NULL ? &origin->oldest : &origin->newest->newer) = connection;
    origin->newest = connection;
    connection->newer_of_all = NULL;
    connection->older_of_all = relay->newest_of_all;
    *(relay->newest_of_all == NULL ? &relay->oldest_of_all : &relay->newest_of_all->newer_of_all) = connection;
    relay->newest_of_all = connection;
    origin->idle_count++;
    relay->idle_total++;
    relay->counters.pooled++;
    timer_set(&relay->ring->timers, &connection->idle, ring_now_ms(relay->ring), relay->timeouts.idle_ms);
    /* The only way to learn that the origin has closed it. */
    stream_receive(connection->stream);
    if (origin->idle_count > RELAY_IDLE_MAX) {
        relay->counters.expired++;
        close_idle(origin->oldest);
    } else if (relay->idle_total > relay->idle_total_max) {
        relay->counters.expired++;
        close_idle(has_more_than_its_part(relay, origin) ? origin->oldest : relay->oldest_of_all);
    }
}

void pool_close(struct relay_connection *connection) {
    connection->exchange = NULL;
    stream_close(connection->stream);
}

void pool_closed(struct stream *stream) {
    struct relay_connection *connection = of_stream(stream);

    slab_give(&connection->relay->connections, connection);
}

static int make_slabs(struct relay *relay) {
    uint32_t limit = relay->ring->options.streams;

    if (slab_create(&relay->connections, sizeof(struct relay_connection), limit) < 0) {
        return -ENOMEM;
    }
    if (slab_create(&relay->exchanges, sizeof(struct relay_exchange), limit) < 0) {
        goto fail_exchanges;
    }
    if (slab_create(&relay->buffers, EXCHANGE_BUFFER_SIZE, limit) < 0) {
        goto fail_buffers;
    }
    return 0;

fail_buffers:
    slab_destroy(&relay->exchanges);
fail_exchanges:
    slab_destroy(&relay->connections);
    return -ENOMEM;
}

static int make_hosts(struct relay *relay) {
    const struct config *config = relay->config;
    uint32_t next = 0;

    for (size_t i = 0; i < config->host_count; i++) {
        relay->origin_count += (uint32_t)config->hosts[i].origin_count;
    }
    relay->hosts = calloc(config->host_count, sizeof *relay->hosts);
    relay->origins = calloc(relay->origin_count, sizeof *relay->origins);
    if (relay->hosts == NULL || relay->origins == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < config->host_count; i++) {
        struct relay_host *host = &relay->hosts[i];

        host->origins = relay->origins + next;
        host->count = (uint32_t)config->hosts[i].origin_count;
        CHECK(host->count >= 1 && host->count <= CONFIG_ORIGIN_ADDRESSES_MAX);
        for (uint32_t j = 0; j < host->count; j++) {
            host->origins[j].address = &config->hosts[i].origins[j];
        }
        next += host->count;
    }
    return 0;
}

static void release(struct relay *relay) {
    free(relay->hosts);
    free(relay->origins);
    free(relay);
}

struct relay *relay_create(struct ring *ring, const struct config *config) {
    struct relay *relay = calloc(1, sizeof *relay);

    if (relay == NULL) {
        return NULL;
    }
    relay->ring = ring;
    relay->config = config;
    relay->idle_total_max = RELAY_IDLE_TOTAL_MAX;
    relay->timeouts = (struct relay_timeouts){
        .connect_ms = RELAY_CONNECT_TIMEOUT_MS,
        .response_ms = RELAY_RESPONSE_TIMEOUT_MS,
        .idle_ms = RELAY_IDLE_TIMEOUT_MS,
        .down_ms = RELAY_DOWN_MS,
    };
    if (make_hosts(relay) < 0 || make_slabs(relay) < 0) {
        release(relay);
        return NULL;
    }
    return relay;
}

void relay_watch(struct relay *relay, size_t host, _Atomic uint64_t *down) {
    struct relay_host *watched = &relay->hosts[host];

    if (down != NULL) {
        atomic_store_explicit(down, 0, memory_order_relaxed);
    }
    for (uint32_t i = 0; i < watched->count; i++) {
        watched->origins[i].down = down;
        watched->origins[i].down_bit = UINT64_C(1) << i;
    }
}

void relay_close(struct relay *relay) {
    relay->closing = true;
    for (uint32_t i = 0; i < relay->origin_count; i++) {
        while (relay->origins[i].newest != NULL) {
            close_idle(relay->origins[i].newest);
        }
    }
}

bool relay_is_idle(const struct relay *relay) {
    return relay->connections.in_use == 0 && relay->exchanges.in_use == 0;
}

void relay_free(struct relay *relay) {
    CHECK(relay_is_idle(relay) && relay->buffers.in_use == 0);
    slab_destroy(&relay->buffers);
    slab_destroy(&relay->exchanges);
    slab_destroy(&relay->connections);
    release(relay);
}

const struct relay_counters *relay_counters(const struct relay *relay) {
    return &relay->counters;
}
