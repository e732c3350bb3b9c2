#include "edge/http1.h"

#include "edge/eviction.h"
#include "edge/http1_carrier.h"
#include "edge/http1_request.h"
#include "edge/http1_tunnel.h"
#include "edge/output.h"
#include "edge/place.h"
#include "edge/plaintext.h"

static void finished(struct connection *connection, bool by_fin) {
    connection->http1.peer_closed = true;
    http1_part(connection);
    if (connection->http1.exchange != NULL) {
        exchange_doubt(&connection->http1.exchange->exchange);
    }
    if (by_fin && !connection_is_closing(connection)) {
        stream_watch(connection->stream); /* from here on only a reset tells that the client is gone */
    }
}

static void finished_waiting(struct connection *connection, bool by_fin) {
    if (by_fin && connection->http1.requests == 0) {
        /* A client that asked for nothing gets nothing, not even a record. */
        connection_end(connection, CONNECTION_ABRUPTLY);
    } else {
        finished(connection, by_fin);
    }
}

static void received(struct connection *connection, struct bytes data) {
    if (connection->http1.peer_closed) {
        connection_end(connection, CONNECTION_ABRUPTLY); /* the client had said its last word */
        return;
    }
    tls_session_feed(connection->client.tls, data);
    plaintext_read(connection);
}

static void refuse_slow(struct connection *connection) {
    struct http1_exchange *http1 = connection->http1.exchange;
    struct exchange *exchange = &http1->exchange;

    /* The origin has deadlines of its own: with nothing for the client to do, this is not the client's fault. */
    if ((exchange->request_done || !exchange_wants_body(exchange)) && connection->stream->queue.size == 0) {
        connection_progress(connection);
        return;
    }
    http1->refused = true;
    exchange_refuse(exchange, (struct bytes){0}, 408);
}

static void received_answering(struct connection *connection, struct bytes data) {
    const struct exchange *exchange = &connection->http1.exchange->exchange;
    uint64_t now_ms = connection_now_ms(connection);

    if (connection->http1.peer_closed) {
        connection_end(connection, CONNECTION_ABRUPTLY);
    } else if (!exchange->request_done && !pace_take_body(&connection->pace, now_ms, data.size)) {
        refuse_slow(connection);
    } else if (eviction_allows_sending(connection)) {
        received(connection, data);
    }
}

static void drained(struct connection *connection) {
    http1_carrier.read_more(connection);
}

static void drained_answering(struct connection *connection) {
    connection_progress(connection);
    exchange_drained(&connection->http1.exchange->exchange);
    http1_carrier.read_more(connection);
}

static void failed(struct connection *connection) {
    connection_end(connection, CONNECTION_ABRUPTLY);
}

static void timed_out_waiting(struct connection *connection) {
    connection_end(connection, CONNECTION_POLITELY);
}

/* With the request complete one receive stays armed, to notice a client that goes away. */
static bool wants_input(const struct connection *connection) {
    return connection->held.size == 0 && exchange_wants_body(&connection->http1.exchange->exchange);
}

/* Of the request behind a body of unknown length a large receive may bring so much, and the record that it completes. */
_Static_assert((int)RING_LARGE_MAX + (int)TLS_RECORD_SIZE_MAX <= (int)SHARD_HELD_MAX, "one can be held");

/*
 * Returns how many bytes of a body may be read at once. Records are larger than what is in them, so that as many bytes of
 * them as are left of the body bring nothing of the next request, unless the part of a record that the session has already
 * does. Where the end is not known, much is read only where much comes.
 */
static uint64_t readable_of_body(const struct connection *connection) {
    const struct exchange *exchange = &connection->http1.exchange->exchange;

    switch (exchange->request.framing) {
    case HTTP_LENGTH:
        return exchange->request.content_length - exchange->body_in;
    case HTTP_CHUNKED:
        return connection->stream->flows ? RING_LARGE_MAX : 0;
    default:
        return 0;
    }
}

static size_t bulk(const struct connection *connection) {
    const struct exchange *exchange = &connection->http1.exchange->exchange;

    if (exchange->request_done) {
        return 0;
    }
    uint64_t left = readable_of_body(connection);
    size_t room = exchange_room(exchange);
    return left < room ? (size_t)left : room;
}

static bool leave(struct connection *connection, enum connection_end how) {
    if (!output_leave(connection, how)) {
        return false;
    }
    if (connection->http1.exchange != NULL) {
        http1_end_exchange(connection);
    }
    return true;
}

static uint32_t header_timeout_ms(const struct connection *connection) {
    return connection_limits(connection)->request_header_timeout_ms;
}

static uint32_t idle_timeout_ms(const struct connection *connection) {
    return connection_limits(connection)->idle_timeout_ms;
}

static uint32_t waiting_timeout_ms(const struct connection *connection) {
    return connection->http1.requests == 0 ? header_timeout_ms(connection) : idle_timeout_ms(connection);
}

const struct stage http1_waiting = {
    .name = "waiting",
    .state = CONNECTION_WAITING,
    .next = STAGE_BIT(CONNECTION_HEAD) | STAGE_BIT(CONNECTION_CLOSING),
    .counted_as = STATS_AT_REQUEST,
    .is_idle = true,
    .may_switch_site = true,
    .deadline_ms = waiting_timeout_ms,
    .received = received,
    .plaintext = http1_read_first,
    .finished = finished_waiting,
    .failed = failed,
    .drained = drained,
    .timed_out = timed_out_waiting,
    .leave = leave,
};

const struct stage http1_head = {
    .name = "head",
    .state = CONNECTION_HEAD,
    .next = STAGE_BIT(CONNECTION_EXCHANGE) | STAGE_BIT(CONNECTION_CLOSING),
    .counted_as = STATS_AT_REQUEST,
    .pauses = true,
    .deadline_ms = header_timeout_ms,
    .received = received,
    .plaintext = http1_read_head,
    .finished = finished,
    .failed = failed,
    .drained = drained,
    .timed_out = refuse_slow,
    .leave = leave,
};

const struct stage http1_answering = {
    .name = "exchange",
    .state = CONNECTION_EXCHANGE,
    .next = STAGE_BIT(CONNECTION_WAITING) | STAGE_BIT(CONNECTION_TUNNEL) | STAGE_BIT(CONNECTION_CLOSING),
    .counted_as = STATS_AT_REQUEST,
    .extends = true,
    .deadline_ms = idle_timeout_ms,
    .received = received_answering,
    .plaintext = http1_read_body,
    .finished = finished,
    .failed = failed,
    .drained = drained_answering,
    .timed_out = refuse_slow,
    .wants_input = wants_input,
    .bulk = bulk,
    .leave = leave,
};

const struct stage http1_tunnelling = {
    .name = "tunnel",
    .state = CONNECTION_TUNNEL,
    .next = STAGE_BIT(CONNECTION_CLOSING),
    .counted_as = STATS_AT_REQUEST,
    .received = http1_tunnel_received,
    .plaintext = http1_tunnel_read,
    .finished = http1_tunnel_finished,
    .failed = failed,
    .drained = drained_answering,
    .timed_out = failed,
    .site_changed = http1_tunnel_site_changed,
    .take_leave = http1_tunnel_take_leave,
    .wants_input = wants_input,
    .bulk = http1_tunnel_bulk,
    .leave = leave,
};

void http1_begin(struct connection *connection) {
    connection_enter(connection, &http1_waiting);
    place_update(connection);
    plaintext_read(connection);
}
