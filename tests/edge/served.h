/* As scene.h, for a client whose handshake is complete: counters, pools, deadlines, and a second site to switch to. */
#ifndef TESTS_EDGE_SERVED_H
#define TESTS_EDGE_SERVED_H

#include "edge/exchange.h"
#include "edge/http1.h"
#include "edge/http2.h"
#include "edge/http2_stream.h"
#include "edge/passage.h"
#include "scene.h"

enum { SERVED_PLACES = 8 };

static struct site served_site_then;
static struct config served_config_then;

static inline struct stats_hosts *served_stats(void) {
    const struct stats_host_facts facts = {.host = "s.test", .mode = "enforce"};
    struct stats_hosts *hosts = stats_hosts_create(1, &facts, 1, NULL);

    cr_assert_not_null(hosts);
    return hosts;
}

static inline void served_config(struct config *config) {
    config->hosts = &scene.host;
    config->host_count = 1;
    config->default_host = &scene.host;
    config->limits = (struct config_limits){.handshake_timeout_ms = 1000,
                                            .request_header_timeout_ms = 2000,
                                            .idle_timeout_ms = 3000,
                                            .request_header_size = 8192};
}

/* Before scene_open's connections: what an exchange and HTTP/1 need of shard and site. */
static inline void served_open(void) {
    scene_open();
    served_config(&scene.config);
    served_config(&served_config_then);
    scene.site.references = 100;
    scene.site.stats = served_stats();
    served_site_then = (struct site){.references = 100, .config = &served_config_then, .stats = served_stats()};
    scene.identity.references = 100;
    scene.identity.valid_until = INT64_MAX;
    timer_wheel_init(&scene.shard.ring.timers, ring_now_ms(&scene.shard.ring));
    cr_assert_eq(pieces_create(&scene.shard.pieces, 4 * SERVED_PLACES), 0);
    cr_assert_eq(slab_create(&scene.shard.exchanges, sizeof(struct http1_exchange), SERVED_PLACES), 0);
    cr_assert_eq(slab_create(&scene.shard.streams, sizeof(struct http2_exchange), SERVED_PLACES), 0);
    cr_assert_eq(slab_create(&scene.shard.rooms, sizeof(struct passage_room), SERVED_PLACES), 0);
}

static inline void served_close(void) {
    cr_expect_eq(scene.shard.exchanges.in_use, 0);
    cr_expect_eq(scene.shard.streams.in_use, 0);
    cr_expect_eq(scene.shard.rooms.in_use, 0);
    cr_expect_eq(pieces_in_use(&scene.shard.pieces), 0);
    slab_destroy(&scene.shard.rooms);
    slab_destroy(&scene.shard.streams);
    slab_destroy(&scene.shard.exchanges);
    pieces_destroy(&scene.shard.pieces);
    stats_hosts_release(scene.site.stats);
    stats_hosts_release(served_site_then.stats);
    scene_close();
}

/* A connection that waits for its first request. */
static inline struct connection *served_connect(void) {
    struct connection *connection = scene_connect("192.0.2.1");

    connection->client.name = "s.test";
    connection->client.verdict.identity = &scene.identity;
    pace_init(&connection->pace, NULL);
    place_take(connection);
    connection->stage = &http1_waiting;
    place_update(connection);
    return connection;
}

#endif
