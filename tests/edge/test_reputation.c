#include "scene.h"

TestSuite(reputation, .init = scene_open, .fini = scene_close);

enum { HOUR_MS = 60 * 60 * 1000 };

static void prove(struct connection *connection, bool in_person) {
    connection->client.verdict.identity = &scene.identity;
    reputation_prove(&connection->client, in_person);
}

static void visit(bool in_person) {
    struct connection *connection = scene_connect("192.0.2.1");

    prove(connection, in_person);
    reputation_leave(&connection->client);
}

Test(reputation, those_who_only_resume_stay_known) {
    visit(true);
    for (unsigned i = 0; i < 5; i++) {
        scene_pass(4 * HOUR_MS);
        struct connection *connection = scene_connect("192.0.2.1");
        cr_expect_eq(scene_standing(connection), SOURCE_KNOWN, "%u", i);
        reputation_leave(&connection->client);
        visit(false);
    }
    scene_pass(7 * HOUR_MS);
    cr_expect_eq(scene_standing(scene_connect("192.0.2.1")), SOURCE_UNKNOWN);
}

/* It was copied from the network, perhaps. */
Test(reputation, a_ticket_makes_no_source_known) {
    visit(false);
    cr_expect_eq(scene_standing(scene_connect("192.0.2.1")), SOURCE_UNKNOWN);
}

Test(reputation, a_ticket_forgives_nothing) {
    visit(true);
    struct connection *connection = scene_connect("192.0.2.1");
    for (unsigned i = 0; i < SOURCES_KNOWN_FAILURES_MAX - 1; i++) {
        reputation_fail(&connection->client);
    }
    scene.identity.fingerprint[0] = 1;
    visit(false);
    reputation_fail(&connection->client);
    cr_expect_eq(scene_standing(connection), SOURCE_UNKNOWN);
    visit(true);
    cr_expect_eq(scene_standing(connection), SOURCE_KNOWN, "as a certificate does that was not there lately");
}

/* Of the same certificate: it has its places, and is one client. */
Test(reputation, connections_over_a_bound_are_told_apart) {
    scene.config.admission.holder.connections = 4;
    struct connection *held[6];
    for (unsigned i = 0; i < 6; i++) {
        held[i] = scene_connect("192.0.2.1");
        prove(held[i], i % 2 == 0);
        cr_expect_eq(held[i]->client.standing.over_bound, i >= 4);
        cr_expect_eq(held[i]->client.standing.credited, i < 4);
        cr_expect_eq(held[i]->client.standing.first_of_holder, i == 0);
        cr_expect(i < 4 || held[i]->client.standing.class == ADMISSION_UNKNOWN);
    }
    cr_expect(
        sources_begin_wait(scene.shard.shared.sources, held[0]->client.standing.source, 0, ring_now_ms(&scene.shard.ring)));
    cr_expect_not(
        sources_begin_wait(scene.shard.shared.sources, held[0]->client.standing.source, 0, ring_now_ms(&scene.shard.ring)));
    sources_end_wait(scene.shard.shared.sources, held[0]->client.standing.source);
    for (unsigned i = 0; i < 6; i++) {
        reputation_leave(&held[i]->client);
    }
}
