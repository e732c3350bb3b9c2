#include "edge/handshake.h"
#include "edge/queue.h"
#include "guard/replays.h"
#include "scene.h"

TestSuite(queue, .init = scene_open, .fini = scene_close);

/* Linked with --wrap: whose turn it is and what a hello leads to is no part of this, and any ticket is one of ours. */
bool __wrap_admission_may_go(struct admission *admission, enum admission_class class, enum admission_step step,
                             uint64_t now_ns);
void __wrap_handshake_begin(struct connection *connection, const struct hello *hello, struct bytes received);
void __wrap_stats_time(struct stats_shard *shard, enum stats_latency what, uint64_t duration_ns);
bool __wrap_tls_tickets_recognize(struct tls_tickets *tickets, struct bytes ticket, uint64_t now_s, uint32_t lifetime_s);

static unsigned begun;

bool __wrap_admission_may_go(struct admission *admission, enum admission_class class, enum admission_step step,
                             uint64_t now_ns) {
    return true;
}

void __wrap_handshake_begin(struct connection *connection, const struct hello *hello, struct bytes received) {
    begun++;
}

void __wrap_stats_time(struct stats_shard *shard, enum stats_latency what, uint64_t duration_ns) {}

bool __wrap_tls_tickets_recognize(struct tls_tickets *tickets, struct bytes ticket, uint64_t now_s, uint32_t lifetime_s) {
    return true;
}

static struct connection *known(void) {
    struct connection *connection = scene_connect("192.0.2.1");

    sources_prove(scene.shard.shared.sources, connection->client.standing.source, true, ring_now_ms(&scene.shard.ring));
    connection->client.standing.class = ADMISSION_KNOWN;
    return connection;
}

/* Under load. */
static enum admission_class hello(bool with_ticket, uint64_t *ticket) {
    const struct hello hello = {
        .name = "s.test", .resumable = true, .first_ticket = bytes_of_string(with_ticket ? "t" : "")};
    struct connection *connection = known();

    scene.shard.gate.admission.state = ADMISSION_LOADED;
    place_take(connection);
    queue_hello(connection, &hello, bytes_of_string(""));
    place_leave(connection);
    *ticket = connection->client.standing.ticket;
    return (enum admission_class)connection->client.standing.class;
}

Test(queue, a_ticket_counts_where_the_source_has_done_too_much) {
    static struct replays replays;
    uint64_t ticket;

    scene.shard.shared.replays = &replays;
    cr_expect_eq(hello(true, &ticket), ADMISSION_KNOWN);
    cr_expect_eq(ticket, 0);
    struct connection *busy = known();
    reputation_spend(&busy->client, UINT64_C(3600000000000));
    cr_expect_eq(hello(false, &ticket), ADMISSION_UNKNOWN);
    cr_expect_eq(hello(true, &ticket), ADMISSION_RETURNING);
    cr_expect_neq(ticket, 0, "it is to be noted once it was used");
    replays_note(scene.shard.shared.replays, ticket);
    cr_expect_eq(hello(true, &ticket), ADMISSION_UNKNOWN, "again");
    cr_expect_eq(begun, 4);
}
