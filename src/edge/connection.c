#include "edge/connection.h"

#include "base/check.h"
#include "base/clock.h"
#include "edge/adopt.h"
#include "edge/exchange.h"
#include "edge/gate.h"
#include "edge/handshake.h"
#include "edge/output.h"
#include "edge/parting.h"
#include "edge/place.h"
#include "edge/verdict.h"

#include <stdlib.h>
#include <string.h>

enum { LINGERING_SHARE = 64 }; /* of the places: one in so many may be a connection that waits for its alert to be read */

static void grow_held(struct connection *connection, size_t size) {
    struct pieces *pieces = &connection->client.shard->pieces;
    struct connection_held *held = &connection->held;
    uint8_t *larger;

    /* A head's limit and one receive: what is held is parsed before more is asked for. */
    CHECK(size <= SHARD_HELD_MAX);
    larger = pieces_take(pieces, size);
    CHECK(larger != NULL); /* there is one of each size for each connection */
    if (held->data != NULL) {
        memcpy(larger, held->data, held->size);
        pieces_give(pieces, held->data, held->capacity);
    }
    held->data = larger;
    held->capacity = (uint32_t)pieces_fitting(pieces, size);
    if (connection->state <= CONNECTION_HANDSHAKE) {
        place_holds(connection, held->capacity);
    }
}

void connection_hold(struct connection *connection, struct bytes bytes) {
    struct connection_held *held = &connection->held;

    if (held->size + bytes.size > held->capacity) {
        grow_held(connection, held->size + bytes.size);
    }
    memcpy(held->data + held->size, bytes.data, bytes.size);
    held->size += (uint32_t)bytes.size;
}

struct connection_held connection_take_held(struct connection *connection) {
    struct connection_held held = connection->held;

    connection->held = (struct connection_held){0};
    if (connection->state <= CONNECTION_HANDSHAKE) { /* later, when it is known what is left: see process */
        place_holds(connection, 0);
    }
    return held;
}

void connection_give_back(struct connection *connection, const struct connection_held *held) {
    if (held->data != NULL) {
        pieces_give(&connection->client.shard->pieces, held->data, held->capacity);
    }
}

static uint64_t now_ms(const struct connection *connection) {
    return ring_now_ms(&connection->client.shard->ring);
}

static void set_deadline(struct connection *connection, uint32_t delay_ms) {
    pace_set_deadline(&connection->pace, &connection->client.shard->ring.timers, now_ms(connection), delay_ms);
}

static const struct config_limits *limits(const struct connection *connection) {
    return &connection->client.site->config->limits;
}

/* The only place where the state changes. HELLO, QUEUED and HANDSHAKE share the deadline that was set at accept. */
void connection_enter(struct connection *connection, enum connection_state state) {
    CHECK(connection->state != CONNECTION_CLOSING);
    connection->state = (uint8_t)state;
    switch (state) {
    case CONNECTION_HELLO:
        set_deadline(connection, limits(connection)->handshake_timeout_ms);
        break;
    case CONNECTION_WAITING:
        set_deadline(connection, connection->http1.requests == 0 ? limits(connection)->request_header_timeout_ms
                                                                 : limits(connection)->idle_timeout_ms);
        place_update(connection);
        break;
    case CONNECTION_HEAD:
        place_ask(connection);
        set_deadline(connection, limits(connection)->request_header_timeout_ms);
        break;
    case CONNECTION_EXCHANGE:
        set_deadline(connection, limits(connection)->idle_timeout_ms);
        break;
    default:
        break;
    }
}

void connection_progress(struct connection *connection) {
    if (connection->state == CONNECTION_EXCHANGE) {
        set_deadline(connection, limits(connection)->idle_timeout_ms);
    }
}

void connection_count_handshake(struct connection *connection, enum stats_result result) {
    struct stats_shard *stats = connection->client.shard->stats;
    enum stats_version version = STATS_TLS_NONE;
    enum stats_kind kind = connection->client.verdict.by_ticket ? STATS_RESUMED : STATS_FULL;

    if (connection->handshake_counted) {
        return;
    }
    connection->handshake_counted = true;
    if (result == STATS_OK) {
        version = tls_session_is_tls13(connection->client.tls) ? STATS_TLS13 : STATS_TLS12;
        connection->client.handshake_ns = clock_monotonic_ns() - connection->accepted_ns;
        stats_time(stats, kind == STATS_RESUMED ? STATS_HANDSHAKE_RESUMED : STATS_HANDSHAKE_FULL,
                   connection->client.handshake_ns);
    }
    stats_add(&stats->handshakes[result][kind][version], 1);
}

/*
 * Returns whether a handshake has begun by the time of a refusal. A hello that is complete begins one; so does a hello that
 * an alert answers, or for which the time was over. Garbage, and clients that leave or are evicted before, begin none.
 */
static bool has_begun(enum stats_stage stage, enum stats_rejection why) {
    if (stage != STATS_AT_HELLO) {
        return true;
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

void connection_refuse(struct connection *connection, enum stats_stage stage, enum stats_rejection why,
                       enum connection_blame blame, enum connection_end how) {
    if (connection->state == CONNECTION_CLOSING) {
        return;
    }
    stats_add(&connection->client.shard->stats->rejected[stage][why], 1);
    if (stage != STATS_AT_REQUEST) {
        journal_failure(connection, stage, why);
    }
    if (has_begun(stage, why)) {
        connection_count_handshake(connection, why == STATS_REJECT_TIMEOUT ? STATS_TIMEOUT : STATS_FAILED);
    }
    blame_source(connection, blame);
    connection_end(connection, how);
}

static void unlink_connection(struct connection *connection) {
    if (connection->previous != NULL) {
        connection->previous->next = connection->next;
    } else {
        connection->client.shard->first = connection->next;
    }
    if (connection->next != NULL) {
        connection->next->previous = connection->previous;
    }
}

/* While there is time and room, until the client has read the alert; else at once, and it may miss it. */
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

void connection_end(struct connection *connection, enum connection_end how) {
    struct shard *shard = connection->client.shard;
    struct connection_held held;

    if (connection->state == CONNECTION_CLOSING) {
        return;
    }
    /* Behind an alert there is nothing to be said. */
    if (!output_settle(connection, how == CONNECTION_POLITELY || how == CONNECTION_TRUNCATED)) {
        return;
    }
    if (connection->state == CONNECTION_HANDSHAKE) {
        connection_count_handshake(connection, STATS_FAILED);
    }
    if (how == CONNECTION_POLITELY && connection->state > CONNECTION_HANDSHAKE) {
        tls_session_shutdown(connection->client.tls);
    }
    place_end(connection, how == CONNECTION_ABRUPTLY || how == CONNECTION_BY_RESET);
    connection_enter(connection, CONNECTION_CLOSING);
    pace_stop(&connection->pace, &shard->ring.timers);
    if (connection->http1.exchange != NULL) {
        exchange_destroy(connection->http1.exchange);
        connection->http1.exchange = NULL;
    }
    relay_client_leave(&connection->client.origin);
    held = connection_take_held(connection);
    connection_give_back(connection, &held);
    gate_forget(connection);
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

static void on_closed(struct stream *stream) {
    struct connection *connection = stream->owner;
    struct shard *shard = connection->client.shard;

    CHECK(connection->state == CONNECTION_CLOSING);
    CHECK(connection->http1.exchange == NULL && connection->held.data == NULL);
    if (connection->client.tls != NULL) {
        tls_session_free(connection->client.tls);
    }
    verdict_release(&connection->client);
    place_leave(connection);
    reputation_leave(&connection->client);
    adopt_name(connection, "");
    site_release(connection->client.site);
    unlink_connection(connection);
    shard->lingering -= connection->lingers;
    stats_subtract(&shard->stats->connections, 1);
    slab_give(&shard->connections, connection);
}

/* Whether there is anything that more input could do now. */
static bool wants_input(const struct connection *connection) {
    /* Whoever does not take our answers, of whatever kind, gets to say no more. */
    if (stream_room(connection->stream) == 0 || connection->pace.paused) {
        return false;
    }
    switch ((enum connection_state)connection->state) {
    case CONNECTION_HANDSHAKE:
        return !connection->queue.entry.waits;
    case CONNECTION_EXCHANGE:
        /* With the request complete one receive stays armed, to notice a client that goes away. */
        return connection->held.size == 0 && exchange_wants_body(connection->http1.exchange);
    case CONNECTION_CLOSING:
        return false;
    default:
        return true;
    }
}

void connection_arm(struct connection *connection) {
    if (wants_input(connection) && !connection->stream->receiving) {
        pace_arm(&connection->pace, now_ms(connection));
        stream_receive(connection->stream);
    }
}

static void begin_request(struct connection *connection) {
    connection->http1.exchange = exchange_create(connection);
    CHECK(connection->http1.exchange != NULL); /* one for each connection */
    connection->http1.requests++;
    pace_begin(&connection->pace);
    connection_enter(connection, CONNECTION_HEAD);
}

/*
 * Works through plaintext: heads, bodies, requests behind them. What is left when the exchange cannot take it yet waits in
 * `held`, together with heads that are not complete. Never nested: what an exchange causes on the way, the loop sees.
 */
static void process(struct connection *connection, struct bytes input) {
    struct connection_held held = {0};

    CHECK(!connection->http1.processing);
    if (connection->held.size > 0) {
        if (input.size > 0) {
            connection_hold(connection, input);
        }
        held = connection_take_held(connection);
        input = bytes_of(held.data, held.size);
    }
    connection->http1.processing = true;
    while (input.size > 0 && connection->state != CONNECTION_CLOSING) {
        size_t used;

        if (connection->state == CONNECTION_WAITING) {
            if (stream_room(connection->stream) == 0) {
                break;
            }
            begin_request(connection);
        }
        if (connection->state == CONNECTION_HEAD) {
            struct exchange *exchange = connection->http1.exchange;
            struct bytes head = input;
            enum http_result result = exchange_head(exchange, head);

            if (result == HTTP_PARSE_MORE) {
                break;
            }
            used = result == HTTP_PARSE_HEAD ? exchange->request.head_size : input.size;
            connection_enter(connection, CONNECTION_EXCHANGE);
            exchange_begin(exchange, head);
        } else {
            used = exchange_body(connection->http1.exchange, input);
            if (used == 0) {
                break;
            }
        }
        input = bytes_of(input.data + used, input.size - used);
    }
    connection->http1.processing = false;
    if (input.size > 0 && connection->state != CONNECTION_CLOSING) {
        if (held.data != NULL) {
            memmove(held.data, input.data, input.size);
            connection->held = held;
            connection->held.size = (uint32_t)input.size;
            place_holds(connection, held.capacity);
            return;
        }
        connection_hold(connection, input);
    }
    connection_give_back(connection, &held);
    if (connection->state != CONNECTION_CLOSING) {
        place_holds(connection, connection->held.capacity);
    }
}

/* Decrypts what was fed, until wolfSSL wants more. */
void connection_read(struct connection *connection) {
    struct shard *shard = connection->client.shard;

    while (connection->state != CONNECTION_CLOSING) {
        size_t size = 0;

        switch (tls_session_read(connection->client.tls, shard->scratch.plaintext, sizeof shard->scratch.plaintext, &size)) {
        case TLS_DONE:
            connection_progress(connection);
            process(connection, bytes_of(shard->scratch.plaintext, size));
            break;
        case TLS_WANT_INPUT:
            place_session_holds(connection, tls_session_held(connection->client.tls));
            return;
        case TLS_CLOSED:
            parting_by_notify(connection);
            return;
        case TLS_FAILED:
            connection_refuse(connection, STATS_AT_REQUEST, handshake_fault(connection), CONNECTION_BLAME_NONE,
                              CONNECTION_AFTER_ALERT);
            return;
        }
    }
}

enum stats_stage connection_stage(const struct connection *connection) {
    switch ((enum connection_state)connection->state) {
    case CONNECTION_HELLO:
        return STATS_AT_HELLO;
    case CONNECTION_QUEUED:
        return STATS_AT_ADMISSION;
    case CONNECTION_HANDSHAKE:
        return STATS_AT_HANDSHAKE;
    default:
        return STATS_AT_REQUEST;
    }
}

/* The client is gone, or has ended its side before it could ask for anything. */
static void lose(struct connection *connection) {
    if (connection->state <= CONNECTION_HANDSHAKE) {
        connection_refuse(connection, connection_stage(connection), STATS_REJECT_CLOSED, CONNECTION_BLAME_IMPATIENCE,
                          CONNECTION_ABRUPTLY);
    } else {
        connection_end(connection, CONNECTION_ABRUPTLY);
    }
}

/* A client that says a little, and then a little more. */
static bool dribbles(const struct connection *connection) {
    switch ((enum connection_state)connection->state) {
    case CONNECTION_HELLO:
    case CONNECTION_HEAD:
        return true;
    case CONNECTION_HANDSHAKE:
        return !connection->queue.entry.waits;
    default:
        return false;
    }
}

static void on_received(struct stream *stream, struct bytes data) {
    struct connection *connection = stream->owner;

    place_has_spoken(connection);
    if (data.size == 0) {
        if (connection->state > CONNECTION_HANDSHAKE) {
            parting_by_fin(connection);
        } else {
            lose(connection);
        }
        return;
    }
    if (connection->http1.peer_closed) {
        connection_end(connection, CONNECTION_ABRUPTLY); /* it said that it would say no more */
        return;
    }
    if (connection->state == CONNECTION_QUEUED) {
        if (!gate_keep_early(connection, data)) {
            connection_refuse(connection, STATS_AT_ADMISSION, STATS_REJECT_MALFORMED, CONNECTION_BLAME_FAILURE,
                              CONNECTION_BY_RESET);
        }
    } else if (connection->state == CONNECTION_HELLO) {
        handshake_hello(connection, data);
    } else if (connection->state == CONNECTION_HANDSHAKE && gate_has_enough(connection)) {
        connection_refuse(connection, STATS_AT_HANDSHAKE, STATS_REJECT_TOO_LARGE, CONNECTION_BLAME_FAILURE,
                          CONNECTION_BY_RESET);
    } else if (connection->state == CONNECTION_HANDSHAKE) {
        gate_flight(connection, data);
    } else if (connection->state == CONNECTION_EXCHANGE && !connection->http1.exchange->request_done &&
               !pace_take_body(&connection->pace, now_ms(connection), data.size)) {
        exchange_timed_out(connection->http1.exchange);
    } else if (connection->state != CONNECTION_EXCHANGE || place_may_send(connection)) {
        tls_session_feed(connection->client.tls, data);
        connection_read(connection);
    }
    if (dribbles(connection)) {
        pace_take_crumb(&connection->pace, &connection->client.shard->ring.timers, now_ms(connection), data.size);
    }
    connection_arm(connection);
}

static void on_drained(struct stream *stream) {
    struct connection *connection = stream->owner;

    place_update(connection);
    if (connection->state == CONNECTION_EXCHANGE) {
        connection_progress(connection);
        exchange_drained(connection->http1.exchange);
    }
    connection_continue(connection);
}

static void on_failed(struct stream *stream, int error) {
    lose(stream->owner);
}

static void on_timer(struct timer *timer) {
    struct connection *connection = CONTAINER_OF(timer, struct connection, pace.timer);

    if (pace_resume(&connection->pace, &connection->client.shard->ring.timers, now_ms(connection))) {
        connection_arm(connection);
        return;
    }
    switch ((enum connection_state)connection->state) {
    case CONNECTION_HELLO:
    case CONNECTION_QUEUED:
    case CONNECTION_HANDSHAKE:
        /* A client that waits for the server is not to blame for the time. */
        connection_refuse(connection, connection_stage(connection), STATS_REJECT_TIMEOUT,
                          connection->queue.entry.waits ? CONNECTION_BLAME_NONE : CONNECTION_BLAME_FAILURE,
                          CONNECTION_BY_RESET);
        break;
    case CONNECTION_WAITING:
        connection_end(connection, CONNECTION_POLITELY);
        break;
    default:
        exchange_timed_out(connection->http1.exchange);
    }
}

static const struct stream_handler handler = {
    .received = on_received,
    .drained = on_drained,
    .failed = on_failed,
    .closed = on_closed,
};

void connection_start(struct connection *connection) {
    pace_init(&connection->pace, on_timer);
    connection->stream->handler = &handler;
    connection->stream->owner = connection;
    connection_enter(connection, CONNECTION_HELLO);
    connection_arm(connection);
}

void connection_exchange_done(struct connection *connection, bool keep_alive) {
    exchange_destroy(connection->http1.exchange);
    connection->http1.exchange = NULL;
    if (keep_alive && !connection->client.shard->draining &&
        (!connection->http1.peer_closed || connection->http1.processing || connection->held.size > 0) &&
        adopt_site(connection)) {
        connection_enter(connection, CONNECTION_WAITING);
    } else {
        connection_end(connection, CONNECTION_POLITELY);
    }
}

void connection_continue(struct connection *connection) {
    if (connection->http1.processing) {
        return;
    }
    if (connection->state == CONNECTION_WAITING && connection->held.size > 0) {
        process(connection, (struct bytes){0});
    }
    parting_settle(connection);
    connection_arm(connection);
}

void connection_drain_all(struct shard *shard) {
    struct connection *connection = shard->first;

    while (connection != NULL) {
        struct connection *next = connection->next;

        if (connection->state == CONNECTION_WAITING) {
            connection_end(connection, CONNECTION_POLITELY);
        }
        connection = next;
    }
}

void connection_stop_all(struct shard *shard) {
    struct connection *connection = shard->first;

    while (connection != NULL) {
        struct connection *next = connection->next;

        connection_end(connection, CONNECTION_ABRUPTLY);
        /* Those that were lingering already. */
        stream_close(connection->stream);
        connection = next;
    }
}
