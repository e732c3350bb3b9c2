#include "edge/arrival.h"

#include "base/check.h"
#include "edge/gate.h"

#include <string.h>

static void list_silent(struct connection *connection) {
    struct shard *shard = connection->shard;

    connection->silent = true;
    connection->older_silent = shard->newest_silent;
    *(shard->newest_silent != NULL ? &shard->newest_silent->newer_silent : &shard->oldest_silent) = connection;
    shard->newest_silent = connection;
}

void arrival_has_spoken(struct connection *connection) {
    struct shard *shard = connection->shard;
    struct connection *newer = connection->newer_silent;
    struct connection *older = connection->older_silent;

    if (connection->silent) {
        connection->silent = false;
        *(newer != NULL ? &newer->older_silent : &shard->newest_silent) = older;
        *(older != NULL ? &older->newer_silent : &shard->oldest_silent) = newer;
    }
}

static void nobody_closed(struct stream *stream) {}

static const struct stream_handler nobody = {.closed = nobody_closed};

/* Whether one more may come. Who has said nothing yet goes for it, the oldest first. */
static bool has_room(struct shard *shard) {
    struct connection *oldest = shard->oldest_silent;

    if (shard->connections.in_use < shard->connections_max) {
        return true;
    }
    if (oldest == NULL || shard->connections.in_use >= shard->connections_max + SHARD_SPARE) {
        return false;
    }
    connection_reject(oldest, STATS_AT_HELLO, STATS_REJECT_EVICTED);
    gate_fail(oldest);
    connection_end(oldest, CONNECTION_BY_RESET);
    return true;
}

void arrival_accept(struct listener *listener, struct stream *stream, const struct sockaddr *peer) {
    struct shard *shard = listener->owner;
    bool full = shard->draining || !has_room(shard);
    struct connection *connection = NULL;
    uint32_t source;
    uint8_t class;

    stats_add(&shard->stats->connections_total, 1);
    if (full) {
        stats_add(&shard->stats->rejected[STATS_AT_ACCEPT][STATS_REJECT_LIMIT], 1);
    } else if (gate_arrive(shard, peer, &source, &class)) {
        connection = slab_take(&shard->connections);
        CHECK(connection != NULL); /* as many as may be accepted */
    }
    if (connection == NULL) {
        stream->handler = &nobody;
        stream_reset(stream);
        return;
    }
    *connection = (struct connection){
        .shard = shard,
        .stream = stream,
        .site = site_retain(shard->site),
        .accepted_ns = shard->ring.now_ns,
        .source = source,
        .class = class,
        .next = shard->first,
    };
    memcpy(&connection->peer, peer, peer->sa_family == AF_INET6 ? sizeof connection->peer.in6 : sizeof connection->peer.in);
    if (shard->first != NULL) {
        shard->first->previous = connection;
    }
    shard->first = connection;
    if (listener->blocks) {
        stream_drop_filter(stream);
    }
    list_silent(connection);
    stats_add(&shard->stats->connections, 1);
    connection_start(connection);
}
