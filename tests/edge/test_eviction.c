#include "edge/http1.h"
#include "scene.h"

TestSuite(eviction, .init = scene_open, .fini = scene_close);

/* Linked with --wrap: how a connection ends is no part of this. */
void __wrap_connection_end(struct connection *connection, enum connection_end how);
void __wrap_connection_refuse(struct connection *connection, enum stats_stage stage, enum stats_rejection why,
                              enum connection_blame blame, enum connection_end how);

static unsigned ended;

void __wrap_connection_end(struct connection *connection, enum connection_end how) {
    ended++;
    place_leave(connection);
}

void __wrap_connection_refuse(struct connection *connection, enum stats_stage stage, enum stats_rejection why,
                              enum connection_blame blame, enum connection_end how) {
    if (blame == CONNECTION_BLAME_FAILURE) {
        reputation_fail(&connection->client);
    }
    __wrap_connection_end(connection, how);
}

/* At its handshake for two seconds, and then in the way: so many of one source. */
static enum source_standing crowd_out(const char *source, bool waits) {
    struct connection *connection = NULL;

    scene.shard.connections_max = 1;
    for (unsigned i = 0; i < SOURCES_SUSPECT_FAILURES; i++) {
        connection = scene_connect(source);
        place_take(connection);
        place_has_spoken(connection);
        connection->queue.entry.waits = waits;
        scene_pass(2000);
        cr_assert(eviction_make_room(&scene.shard, ADMISSION_UNKNOWN));
        cr_assert_eq(connection->place.stage, PLACES_NONE);
    }
    return scene_standing(connection);
}

Test(eviction, who_waits_for_us_is_not_to_blame) {
    cr_expect_eq(crowd_out("192.0.2.1", false), SOURCE_SUSPECT);
    cr_expect_eq(crowd_out("192.0.2.2", true), SOURCE_UNKNOWN);
}

/* Those who go need a moment to be gone. */
Test(eviction, nobody_goes_for_one_who_cannot_be_taken) {
    struct connection *connection = scene_connect("192.0.2.1");

    scene.shard.connections_max = 1;
    place_take(connection);
    scene_pass(2000);
    scene.shard.connections.in_use = SCENE_CONNECTIONS + SHARD_SPARE;
    cr_expect_not(eviction_make_room(&scene.shard, ADMISSION_KNOWN));
    cr_expect_eq(ended, 0);
    scene.shard.connections.in_use--;
    cr_expect(eviction_make_room(&scene.shard, ADMISSION_KNOWN));
    cr_expect_eq(ended, 1);
}

/* One certificate that holds more than any device needs. */
Test(eviction, a_valid_client_over_its_bounds_makes_room) {
    struct connection *connection = scene_connect("192.0.2.1");

    scene.shard.connections_max = 1;
    connection->client.verdict.identity = &scene.identity;
    connection->stage = &http1_waiting;
    place_take(connection);
    place_update(connection);
    scene_pass(2000);
    cr_expect_not(eviction_make_room(&scene.shard, ADMISSION_KNOWN));
    connection->client.standing.over_bound = true;
    place_update(connection);
    cr_expect_eq(connection->place.rank, PLACES_STRANGER, "though its host would deny it");
}
