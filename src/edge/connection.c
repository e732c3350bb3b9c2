#include "edge/connection.h"

#include "base/check.h"
#include "base/clock.h"
#include "crypto/batch.h"
#include "edge/place.h"
#include "edge/reputation.h"
#include "edge/site_switch.h"
#include "edge/verdict.h"

#include <string.h>

enum { LINGERING_SHARE = 64 }; /* of the places: one in so many may be a connection that waits for its alert to be read */

static void set_deadline(struct connection *connection) {
    pace_set_deadline(&connection->pace, &connection->client.shard->ring.timers, connection_now_ms(connection),
                      connection->stage->deadline_ms(connection));
}

void connection_enter(struct connection *connection, const struct stage *stage) {
    CHECK(connection->stage == NULL || (connection->stage->next & STAGE_BIT(stage->state)) != 0);
    connection->stage = stage;
    if (stage->deadline_ms != NULL) {
        set_deadline(connection);
    }
}

void connection_progress(struct connection *connection) {
    if (connection->stage->extends) {
        set_deadline(connection);
    }
}

void connection_count_handshake(struct connection *connection, enum stats_result result) {
    struct client *client = &connection->client;
    struct stats_shard *stats = client->shard->stats;
    enum stats_version version = STATS_TLS_NONE;
    enum key_group group = KEY_GROUP_NONE;
    enum stats_kind kind = client->verdict.by_ticket ? STATS_RESUMED : STATS_FULL;

    if (connection->handshake_counted) {
        return;
    }
    connection->handshake_counted = true;
    if (result == STATS_OK) {
        version = tls_session_is_tls13(client->tls) ? STATS_TLS13 : STATS_TLS12;
        group = tls_session_key_group(client->tls);
        client->handshake_ns = clock_monotonic_ns() - connection->accepted_ns;
        stats_time(stats, kind == STATS_RESUMED ? STATS_HANDSHAKE_RESUMED : STATS_HANDSHAKE_FULL, client->handshake_ns);
    }
    stats_add(&stats->handshakes[result][kind][version][group], 1);
}

enum stats_rejection connection_tls_fault(const struct connection *connection) {
    static const uint8_t rejections[TLS_EXCESS_KINDS] = {
        [TLS_EXCESS_NONE] = STATS_REJECT_TLS_ERROR,
        [TLS_EXCESS_KEY_UPDATES] = STATS_REJECT_KEY_UPDATES,
        [TLS_EXCESS_EMPTY_RECORDS] = STATS_REJECT_EMPTY_RECORDS,
        [TLS_EXCESS_SMALL_RECORDS] = STATS_REJECT_SMALL_RECORDS,
        [TLS_EXCESS_WARNINGS] = STATS_REJECT_WARNING_ALERTS,
        [TLS_EXCESS_CHANGE_CIPHER_SPECS] = STATS_REJECT_CHANGE_CIPHERS,
    };

    return (enum stats_rejection)rejections[tls_session_excess(connection->client.tls)];
}

/*
 * Returns whether a handshake has begun by the time of a refusal. A hello that is complete begins one; so does a hello that
 * an alert answers, or for which the time was over. Garbage, and clients that leave or are evicted before, begin none.
 */
static bool has_begun(enum stats_stage stage, enum stats_rejection why) {
    if (stage != STATS_AT_HELLO) {
        return stage != STATS_AT_ACCEPT;
    }
    switch (why) {
    case STATS_REJECT_NOT_TLS:
    case STATS_REJECT_PLAIN_HTTP:
    case STATS_REJECT_CLOSED:
    case STATS_REJECT_EVICTED:
        return false;
    default:
        return true;
    }
}

/* Returns how long the connection has waited in the shard's queue so far; 0: it does not wait. */
static uint64_t waited_ns(const struct connection *connection) {
    const struct admission_entry *entry = &connection->queue.entry;

    return entry->waits ? connection->client.shard->ring.now_ns - entry->since_ns : 0;
}

static void blame_source(struct connection *connection, enum connection_blame blame) {
    switch (blame) {
    case CONNECTION_BLAME_NONE:
        break;
    case CONNECTION_BLAME_FAILURE:
        reputation_fail(&connection->client);
        break;
    case CONNECTION_BLAME_IMPATIENCE:
        reputation_fail_if_impatient(&connection->client, waited_ns(connection));
        break;
    }
}

static void log_failure(const struct connection *connection, enum stats_stage stage, enum stats_rejection why) {
    const struct client *client = &connection->client;
    struct shard *shard = client->shard;
    char address[CLIENT_ADDRESS_SIZE];

    if (journal_takes_failure(&shard->journal, shard->ring.now_ns)) {
        journal_failure(&shard->journal, &(struct access_failure){
                                             .client = client_describe(client, client->host, address),
                                             .stage = stats_stage_name(stage),
                                             .reason = stats_rejection_name(why),
                                             .total_ns = shard->ring.now_ns - connection->accepted_ns,
                                         });
    }
}

void connection_refuse(struct connection *connection, enum stats_stage stage, enum stats_rejection why,
                       enum connection_blame blame, enum connection_end how) {
    if (connection_is_closing(connection)) {
        return;
    }
    stats_add(&connection->client.shard->stats->rejected[stage][why], 1);
    if (stage != STATS_AT_REQUEST) {
        log_failure(connection, stage, why);
    }
    if (!connection->stage->is_plain && has_begun(stage, why)) {
        connection_count_handshake(connection, why == STATS_REJECT_TIMEOUT ? STATS_TIMEOUT : STATS_FAILED);
    }
    blame_source(connection, blame);
    connection_end(connection, how);
}

/* Closes once the client has read the alert, while there is time and room for that; else at once, and it may miss the alert.
 */
static void finish_after_alert(struct connection *connection) {
    struct shard *shard = connection->client.shard;

    if (shard_is_calm(shard) && shard->lingering < 1 + shard->connections_max / LINGERING_SHARE) {
        connection->lingers = true;
        shard->lingering++;
        stream_finish_briefly(connection->stream);
    } else {
        stream_finish_by_reset(connection->stream);
    }
}

static void drop_held(struct connection *connection) {
    struct connection_held *held = &connection->held;

    if (held->data != NULL) {
        pieces_give(&connection->client.shard->pieces, held->data, held->capacity);
        *held = (struct connection_held){0};
    }
}

void connection_end(struct connection *connection, enum connection_end how) {
    const struct stage *stage = connection->stage;

    if (connection_is_closing(connection) || (stage->leave != NULL && !stage->leave(connection, how))) {
        return;
    }
    place_end(connection, how == CONNECTION_ABRUPTLY || how == CONNECTION_BY_RESET);
    connection_enter(connection, &connection_closing);
    pace_stop(&connection->pace, &connection->client.shard->ring.timers);
    relay_client_leave(&connection->client.origin);
    drop_held(connection);
    switch (how) {
    case CONNECTION_POLITELY:
    case CONNECTION_TRUNCATED:
        stream_finish(connection->stream);
        break;
    case CONNECTION_AFTER_ALERT:
        finish_after_alert(connection);
        break;
    case CONNECTION_ABRUPTLY:
        stream_close(connection->stream);
        break;
    case CONNECTION_BY_RESET:
        stream_reset(connection->stream);
        break;
    }
}

static void release_client(struct client *client) {
    if (client->tls != NULL) {
        tls_session_free(client->tls);
    }
    verdict_release(client);
    reputation_leave(client);
    if (client->name_copy != NULL) {
        pieces_give(&client->shard->pieces, client->name_copy, strlen(client->name_copy) + 1);
    }
    site_release(client->site);
}

/* Has a step end that is paused: of this turn, or left by the last one. The connection may have ended by that. */
static void end_step(struct connection *connection) {
    if (connection->step != NULL) {
        batch_flush(connection->client.shard->batch);
    }
}

static void on_closed(struct stream *stream) {
    struct connection *connection = stream->owner;
    struct shard *shard = connection->client.shard;

    end_step(connection);
    CHECK(connection_is_closing(connection) && connection->step == NULL);
    CHECK(connection->http1.exchange == NULL && connection->http2.session == NULL && connection->tcp == NULL);
    CHECK(connection->held.data == NULL);
    CHECK(shard->output.owner != connection);
    place_leave(connection);
    release_client(&connection->client);
    list_remove(&connection->in_shard);
    shard->lingering -= connection->lingers;
    stats_subtract(&shard->stats->connections, 1);
    slab_give(&shard->connections, connection);
}

static bool wants_input(const struct connection *connection) {
    /* A client that does not take our answers, of whatever kind, is not read any further. */
    if (stream_room(connection->stream) == 0 || connection->pace.paused) {
        return false;
    }
    return connection->stage->wants_input == NULL || connection->stage->wants_input(connection);
}

static void receive(struct connection *connection) {
    size_t bulk = connection->stage->bulk == NULL ? 0 : connection->stage->bulk(connection);

    if (bulk > RING_RECEIVE_SIZE) {
        stream_receive_up_to(connection->stream, bulk);
    } else {
        stream_receive(connection->stream);
    }
}

void connection_arm(struct connection *connection) {
    if (wants_input(connection) && !connection->stream->receiving) {
        pace_arm(&connection->pace, connection_now_ms(connection));
        receive(connection);
    }
}

void connection_time_out_early(struct connection *connection) {
    /* A client that waits for the server is not to blame for the time. */
    connection_refuse(connection, connection->stage->counted_as, STATS_REJECT_TIMEOUT,
                      connection->queue.entry.waits ? CONNECTION_BLAME_NONE : CONNECTION_BLAME_FAILURE, CONNECTION_BY_RESET);
}

void connection_lose_early(struct connection *connection) {
    connection_refuse(connection, connection->stage->counted_as, STATS_REJECT_CLOSED, CONNECTION_BLAME_IMPATIENCE,
                      CONNECTION_ABRUPTLY);
}

void connection_finish_early(struct connection *connection, bool by_fin) {
    connection_lose_early(connection);
}

static void on_received(struct stream *stream, struct bytes data) {
    struct connection *connection = stream->owner;

    end_step(connection);
    if (connection_is_closing(connection)) {
        return;
    }
    place_has_spoken(connection);
    if (data.size == 0) {
        connection->stage->finished(connection, true);
        return;
    }
    connection->stage->received(connection, data);
    if (connection->stage->pauses && !connection->queue.entry.waits) {
        pace_take_small_piece(&connection->pace, &connection->client.shard->ring.timers, connection_now_ms(connection),
                              data.size);
    }
    connection_arm(connection);
}

static void on_drained(struct stream *stream) {
    struct connection *connection = stream->owner;

    place_update(connection);
    if (connection->stage->drained != NULL) {
        connection->stage->drained(connection);
    } else {
        connection_arm(connection);
    }
}

static void on_failed(struct stream *stream, int error) {
    struct connection *connection = stream->owner;

    connection->stage->failed(connection);
}

static void on_timer(struct timer *timer) {
    struct connection *connection = CONTAINER_OF(timer, struct connection, pace.timer);

    const struct stage *stage = connection->stage;

    end_step(connection); /* the client's bytes have come in time */
    if (connection->stage != stage) {
        return;
    }
    if (pace_resume(&connection->pace, &connection->client.shard->ring.timers, connection_now_ms(connection))) {
        connection_arm(connection);
    } else {
        connection->stage->timed_out(connection);
    }
}

static const struct stream_handler handler = {
    .received = on_received,
    .drained = on_drained,
    .failed = on_failed,
    .closed = on_closed,
};

/* The stream has been told to close, and calls none of these handlers. */
static bool closing_wants_input(const struct connection *connection) {
    return false;
}

const struct stage connection_closing = {
    .name = "closing",
    .state = CONNECTION_CLOSING,
    .counted_as = STATS_AT_REQUEST,
    .wants_input = closing_wants_input,
};

void connection_start(struct connection *connection, const struct stage *stage) {
    list_prepend(&connection->client.shard->all, &connection->in_shard);
    pace_init(&connection->pace, on_timer);
    connection->stream->handler = &handler;
    connection->stream->owner = connection;
    connection_enter(connection, stage);
    place_take(connection);
    stats_add(&connection->client.shard->stats->connections, 1);
    connection_arm(connection);
}

void connection_switch_all(struct shard *shard) {
    struct list *link = list_first(&shard->all);

    while (link != NULL) {
        struct connection *connection = CONTAINER_OF(link, struct connection, in_shard);

        link = list_after(&shard->all, link);
        if (connection->stage->may_switch_site && !site_switch(&connection->client)) {
            connection_end(connection, CONNECTION_POLITELY);
        } else if (connection->stage->site_changed != NULL) {
            connection->stage->site_changed(connection);
        }
    }
}

void connection_take_leave_all(struct shard *shard) {
    struct list *link = list_first(&shard->all);

    while (link != NULL) {
        struct connection *connection = CONTAINER_OF(link, struct connection, in_shard);

        link = list_after(&shard->all, link);
        if (connection->stage->take_leave != NULL) {
            connection->stage->take_leave(connection);
        }
    }
}

void connection_drain_all(struct shard *shard) {
    struct list *link = list_first(&shard->all);

    while (link != NULL) {
        struct connection *connection = CONTAINER_OF(link, struct connection, in_shard);

        link = list_after(&shard->all, link);
        if (connection->stage->drain != NULL) {
            connection->stage->drain(connection);
        } else if (connection->stage->is_idle) {
            connection_end(connection, CONNECTION_POLITELY);
        }
    }
}

void connection_stop_all(struct shard *shard) {
    struct list *link = list_first(&shard->all);

    while (link != NULL) {
        struct connection *connection = CONTAINER_OF(link, struct connection, in_shard);

        link = list_after(&shard->all, link);
        connection_end(connection, CONNECTION_ABRUPTLY);
        /* Closes those that were lingering already, too. */
        stream_close(connection->stream);
    }
}
