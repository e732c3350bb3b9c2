/* A shard, a site and connections of one client's address, with what edge/ needs of them to decide who comes in. */
#ifndef TESTS_EDGE_SCENE_H
#define TESTS_EDGE_SCENE_H

#include "base/hash.h"
#include "edge/eviction.h"
#include "edge/gate.h"
#include "edge/hello.h"
#include "edge/place.h"
#include "edge/reputation.h"
#include "edge/reputation_store.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdlib.h>

enum { SCENE_CONNECTIONS = 128 };

struct scene {
    struct shard shard;
    struct site site;
    struct config config;
    struct config_host host;
    struct stats_shard stats;
    struct identity identity;
    struct connection connections[SCENE_CONNECTIONS];
    struct stream streams[SCENE_CONNECTIONS];
    uint32_t count;
};

static struct scene scene;

static inline void scene_pass(uint64_t ms) {
    scene.shard.ring.now_ns += ms * 1000000;
}

static inline void scene_open(void) {
    struct shard *shard = &scene.shard;

    hash_init();
    list_init(&shard->all);
    list_init(&shard->http2_turn);
    scene.host.name = (char *)"s.test";
    scene.identity.status = STATUS_VALID;
    scene.site.config = &scene.config;
    shard->site = &scene.site;
    shard->stats = &scene.stats;
    shard->shared.sources = sources_create(1000);
    shard->shared.reputation = reputation_create(1000, 1);
    shard->connections_capacity = shard->connections_max = SCENE_CONNECTIONS;
    scene_pass(1000000);
    admission_init(&shard->gate.admission, 8, shard->ring.now_ns);
    cr_assert(shard->shared.sources != NULL && shard->shared.reputation != NULL);
}

static inline void scene_close(void) {
    reputation_free(scene.shard.shared.reputation);
    sources_free(scene.shard.shared.sources);
}

/* A connection that has just been accepted. */
static inline struct connection *scene_connect(const char *from) {
    static const struct source_limits unlimited;
    struct connection *connection = &scene.connections[scene.count];
    enum source_standing standing;

    cr_assert_lt(scene.count, SCENE_CONNECTIONS);
    *connection = (struct connection){.client = {.shard = &scene.shard,
                                                 .site = &scene.site,
                                                 .host = &scene.host,
                                                 .standing = {.class = ADMISSION_UNKNOWN}},
                                      .stage = &hello_stage,
                                      .accepted_ns = scene.shard.ring.now_ns,
                                      .stream = &scene.streams[scene.count++]};
    connection->client.peer.in.sin_family = AF_INET;
    cr_assert_eq(inet_pton(AF_INET, from, &connection->client.peer.in.sin_addr), 1);
    cr_assert_eq(sources_arrive(scene.shard.shared.sources, &connection->client.peer.any, &unlimited,
                                ring_now_ms(&scene.shard.ring), &connection->client.standing.source, &standing),
                 SOURCE_ADMITTED);
    connection->client.standing.class = standing == SOURCE_KNOWN ? ADMISSION_KNOWN : ADMISSION_UNKNOWN;
    return connection;
}

static inline enum source_standing scene_standing(const struct connection *connection) {
    return sources_standing(scene.shard.shared.sources, connection->client.standing.source, ring_now_ms(&scene.shard.ring));
}

#endif
