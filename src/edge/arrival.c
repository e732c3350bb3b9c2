#include "edge/arrival.h"

#include "base/check.h"
#include "edge/eviction.h"
#include "edge/gate.h"
#include "edge/hello.h"

#include <string.h>

static void turned_away_closed(struct stream *stream) {}

static const struct stream_handler turned_away = {.closed = turned_away_closed};

static void turn_away(struct stream *stream) {
    stream->handler = &turned_away;
    stream_reset(stream);
}

void arrival_accept(struct listener *listener, struct stream *stream, const struct sockaddr *peer) {
    struct shard *shard = listener->owner;

    stats_add(&shard->stats->connections_total, 1);
    uint32_t source;
    uint8_t class;
    if (!gate_arrive(shard, peer, &source, &class)) {
        turn_away(stream);
        return;
    }
    if (shard->draining || !eviction_make_room(shard, class)) {
        stats_add(&shard->stats->rejected[STATS_AT_ACCEPT][STATS_REJECT_LIMIT], 1);
        sources_leave(shard->shared.sources, source);
        turn_away(stream);
        return;
    }
    struct connection *connection = slab_take(&shard->connections);
    CHECK(connection != NULL); /* as many as may be accepted */
    *connection = (struct connection){
        .client = {.shard = shard, .site = site_retain(shard->site), .standing = {.source = source, .class = class}},
        .stream = stream,
        .accepted_ns = shard->ring.now_ns,
    };
    size_t peer_size = peer->sa_family == AF_INET6 ? sizeof connection->client.peer.in6 : sizeof connection->client.peer.in;
    memcpy(&connection->client.peer, peer, peer_size);
    if (listener->blocks) {
        stream_drop_filter(stream);
    }
    connection_start(connection, &hello_stage);
}
