#include "edge/queue.h"

#include "base/check.h"
#include "base/clock.h"
#include "edge/gate.h"
#include "edge/handshake.h"
#include "edge/held.h"
#include "edge/place.h"
#include "edge/reputation.h"

_Static_assert((int)HELLO_SIZE_MAX + (int)HELLO_EARLY_DATA_MAX <= (int)SHARD_HELD_MAX,
               "a hello can wait with what follows it");

/* Returns the class of the client as of now: its source may have gained or lost since the client came. */
static enum admission_class classify(struct connection *connection, const struct hello *hello) {
    struct shard *shard = connection->client.shard;
    uint64_t now_ns = shard->ring.now_ns;

    if (connection->client.standing.source == SOURCE_UNTRACKED) {
        return connection->client.standing.class;
    }
    enum admission_class class = gate_class_of(
        sources_standing(shard->shared.sources, connection->client.standing.source, ring_now_ms(&shard->ring)));
    if (class == ADMISSION_KNOWN && !reputation_has_work(&connection->client)) {
        class = ADMISSION_UNKNOWN; /* its ticket may still be worth more */
    }
    if (class != ADMISSION_UNKNOWN || !hello->resumable || hello->first_ticket.size == 0) {
        return class;
    }
    connection->client.standing.ticket = replays_name(hello->first_ticket);
    if (!replays_has(shard->shared.replays, connection->client.standing.ticket) &&
        tls_tickets_recognize(shard->shared.tickets, hello->first_ticket, now_ns / 1000000000,
                              shard->site->config->ticket_lifetime_s)) {
        return ADMISSION_RETURNING;
    }
    return class;
}

static void hello_waits(struct connection *connection, struct bytes received) {
    struct shard *shard = connection->client.shard;

    if (!sources_begin_wait(shard->shared.sources, connection->client.standing.source,
                            admission_waiting_of_source(&shard->gate.admission, connection->client.standing.class),
                            ring_now_ms(&shard->ring))) {
        gate_refuse(connection, STATS_REJECT_SOURCE_LIMIT);
        return;
    }
    connection->queue.counts_for_source = true;
    if (connection->held.data == NULL) {
        held_add(connection, received);
    }
    connection_enter(connection, &queue_stage);
    bool behind = sources_waits_behind(shard->shared.sources, connection->client.standing.source, ring_now_ms(&shard->ring));
    gate_wait(connection, behind ? ADMISSION_FURTHER_HELLO : ADMISSION_HELLO);
}

void queue_hello(struct connection *connection, const struct hello *hello, struct bytes received) {
    struct admission *admission = &connection->client.shard->gate.admission;

    connection->queue.early_data = hello->early_data;
    if (!shard_is_calm(connection->client.shard)) {
        connection->client.standing.class = (uint8_t)classify(connection, hello);
        place_update(connection);
        if (connection->client.standing.class == ADMISSION_SUSPECT && admission->state == ADMISSION_FLOODED) {
            gate_refuse(connection, STATS_REJECT_SUSPECT);
            return;
        }
    }
    if (admission_may_go(admission, connection->client.standing.class, ADMISSION_HELLO, clock_monotonic_ns())) {
        stats_time(connection->client.shard->stats, STATS_HELLO_QUEUE, 0);
        handshake_begin(connection, hello, received);
    } else {
        hello_waits(connection, received);
    }
}

/*
 * Returns whether the bytes may come while the hello waits: early data, or the record that stands for it. Nothing else is to
 * be said before the server has spoken.
 */
static bool may_come_early(const struct connection *connection, struct bytes data) {
    static const uint8_t dummy[] = {20, 3, 3, 0, 1, 1}; /* ChangeCipherSpec for middleboxes (RFC 8446 section D.4) */

    return connection->held.size + data.size <= HELLO_SIZE_MAX + HELLO_EARLY_DATA_MAX &&
           (connection->queue.early_data || bytes_equal(data, bytes_of(dummy, sizeof dummy)));
}

static void received_early(struct connection *connection, struct bytes data) {
    if (may_come_early(connection, data)) {
        held_add(connection, data);
    } else {
        connection_refuse(connection, STATS_AT_ADMISSION, STATS_REJECT_MALFORMED, CONNECTION_BLAME_FAILURE,
                          CONNECTION_BY_RESET);
    }
}

/* A hello was good when it came, and is read again rather than kept: waiting is the exception. */
static void take_up(struct connection *connection, struct bytes received) {
    stats_time(connection->client.shard->stats, STATS_HELLO_QUEUE, clock_monotonic_ns() - connection->queue.entry.since_ns);
    gate_stop_counting(connection);
    struct hello hello;
    CHECK(hello_parse(received, &hello) == HELLO_OK);
    handshake_begin(connection, &hello, received);
}

static bool leave(struct connection *connection, enum connection_end how) {
    gate_forget(connection);
    return true;
}

const struct stage queue_stage = {
    .name = "queued",
    .state = CONNECTION_QUEUED,
    .next = STAGE_BIT(CONNECTION_HANDSHAKE) | STAGE_BIT(CONNECTION_CLOSING),
    .counted_as = STATS_AT_ADMISSION,
    .is_early = true,
    .may_switch_site = true,
    .received = received_early,
    .taken_up = take_up,
    .finished = connection_finish_early,
    .failed = connection_lose_early,
    .timed_out = connection_time_out_early,
    .leave = leave,
};
