#include "edge/arrival.h"

#include "base/check.h"
#include "edge/gate.h"
#include "edge/place.h"

#include <string.h>

static void nobody_closed(struct stream *stream) {}

static const struct stream_handler nobody = {.closed = nobody_closed};

static void turn_away(struct stream *stream) {
    stream->handler = &nobody;
    stream_reset(stream);
}

void arrival_accept(struct listener *listener, struct stream *stream, const struct sockaddr *peer) {
    struct shard *shard = listener->owner;
    struct connection *connection;
    uint32_t source;
    uint8_t class;

    stats_add(&shard->stats->connections_total, 1);
    if (!gate_arrive(shard, peer, &source, &class)) {
        turn_away(stream);
        return;
    }
    if (shard->draining || !place_make_room(shard, class)) {
        stats_add(&shard->stats->rejected[STATS_AT_ACCEPT][STATS_REJECT_LIMIT], 1);
        sources_leave(shard->shared.sources, source);
        turn_away(stream);
        return;
    }
    connection = slab_take(&shard->connections);
    CHECK(connection != NULL); /* as many as may be accepted */
    *connection = (struct connection){
        .client = {.shard = shard, .site = site_retain(shard->site), .standing = {.source = source, .class = class}},
        .stream = stream,
        .accepted_ns = shard->ring.now_ns,
        .next = shard->first,
    };
    memcpy(&connection->client.peer, peer,
           peer->sa_family == AF_INET6 ? sizeof connection->client.peer.in6 : sizeof connection->client.peer.in);
    if (shard->first != NULL) {
        shard->first->previous = connection;
    }
    shard->first = connection;
    if (listener->blocks) {
        stream_drop_filter(stream);
    }
    place_take(connection);
    stats_add(&shard->stats->connections, 1);
    connection_start(connection);
}
