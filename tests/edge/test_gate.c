#include "scene.h"

TestSuite(gate, .init = scene_open, .fini = scene_close);

static struct connection *known(void) {
    struct connection *connection = scene_connect("192.0.2.1");

    sources_prove(scene.shard.shared.sources, connection->client.standing.source, true, ring_now_ms(&scene.shard.ring));
    connection->client.standing.class = ADMISSION_KNOWN;
    return connection;
}

/* One step that has taken so long. */
static void work_for(struct connection *connection, uint64_t ms, enum admission_class class_then) {
    struct gate_work work = gate_work_begin(connection);

    work.began_ns -= ms * 1000000;
    connection->client.standing.class = (uint8_t)class_then;
    gate_work_end(connection, work);
}

/* Its certificate has cost it its class while it was at work. */
Test(gate, work_is_of_the_class_that_it_was_begun_under) {
    struct connection *connection = known();
    int64_t left = scene.shard.gate.admission.budgets[ADMISSION_UNKNOWN].left;

    scene.shard.gate.admission.state = ADMISSION_LOADED;
    for (unsigned i = 0; i < 1000; i++) {
        connection->client.standing.class = ADMISSION_KNOWN;
        work_for(connection, 15, ADMISSION_UNKNOWN);
    }
    cr_expect_eq(scene.shard.gate.admission.budgets[ADMISSION_UNKNOWN].left, left);
    cr_expect_eq(scene.shard.gate.admission.budgets[ADMISSION_UNKNOWN].spent, 0);
    cr_expect_eq(scene.stats.handshake_work_ns[ADMISSION_UNKNOWN], 0);
    cr_expect_gt(scene.stats.handshake_work_ns[ADMISSION_KNOWN], 0);
    cr_expect_not(reputation_has_work(&connection->client), "its source has paid for it");
}

/* A virtual machine that stood still for an hour has not worked for whoever was being served. */
Test(gate, time_in_which_the_thread_was_stopped_is_no_work) {
    struct connection *connection = known();

    scene.shard.gate.admission.state = ADMISSION_LOADED;
    cr_assert(reputation_has_work(&connection->client));
    work_for(connection, 3600 * 1000, ADMISSION_KNOWN);
    cr_expect(reputation_has_work(&connection->client), "its source has not used up its work");
    cr_expect_leq(scene.shard.gate.admission.budgets[ADMISSION_KNOWN].spent, UINT64_C(20000000));
    cr_expect_leq(scene.stats.handshake_work_ns[ADMISSION_KNOWN], UINT64_C(20000000));
}
