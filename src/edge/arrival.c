#include "edge/arrival.h"

#include "base/check.h"
#include "edge/eviction.h"
#include "edge/gate.h"
#include "edge/hello.h"
#include "edge/proxy.h"
#include "edge/redirect.h"

#include <string.h>

static void turned_away_closed(struct stream *stream) {}

static const struct stream_handler turned_away = {.closed = turned_away_closed};

static void turn_away(struct stream *stream) {
    stream->handler = &turned_away;
    stream_reset(stream);
}

/* Returns whether there is room. A balancer's connection makes none yet: whose it is, and what rank that has, is not known.
 */
static bool has_room(struct shard *shard, bool by_proxy, enum admission_class class) {
    return !shard->draining && (by_proxy ? eviction_has_memory(shard) : eviction_make_room(shard, class));
}

void arrival_accept(struct listener *listener, struct stream *stream, const struct sockaddr *peer) {
    struct shard *shard = listener->owner;
    const struct config_listener *settings = &shard->site->config->listen[listener - shard->listeners];
    bool by_proxy = settings->proxy_count > 0;

    stats_add(&shard->stats->connections_total, 1);
    uint32_t source = SOURCE_UNTRACKED;
    uint8_t class = ADMISSION_UNKNOWN;
    if (by_proxy ? !proxy_is_welcome(shard, settings, peer) : !gate_arrive(shard, peer, true, &source, &class)) {
        turn_away(stream);
        return;
    }
    if (!has_room(shard, by_proxy, class)) {
        stats_add(&shard->stats->rejected[STATS_AT_ACCEPT][STATS_REJECT_LIMIT], 1);
        sources_leave(shard->shared.sources, source);
        turn_away(stream);
        return;
    }
    struct connection *connection = slab_take(&shard->connections);
    CHECK(connection != NULL); /* as many as may be accepted */
    *connection = (struct connection){
        .client = {.shard = shard,
                   .site = site_retain(shard->site),
                   .standing = {.source = source, .class = class},
                   .listener = (uint8_t)(listener - shard->listeners),
                   .by_proxy = by_proxy},
        .stream = stream,
        .accepted_ns = shard->ring.now_ns,
    };
    size_t peer_size = peer->sa_family == AF_INET6 ? sizeof connection->client.peer.in6 : sizeof connection->client.peer.in;
    memcpy(&connection->client.peer, peer, peer_size);
    if (listener->blocks) {
        stream_drop_filter(stream);
    }
    connection_start(connection, by_proxy ? &proxy_stage : settings->redirect_port > 0 ? &redirect_stage : &hello_stage);
}
