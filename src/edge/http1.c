#include "edge/http1.h"

#include "base/check.h"
#include "edge/eviction.h"
#include "edge/exchange_reply.h"
#include "edge/http1_tunnel.h"
#include "edge/output.h"
#include "edge/place.h"
#include "edge/plaintext.h"
#include "edge/site_switch.h"
#include "http/trailers.h"

enum {
    DISCARD_MAX = 64 * 1024, /* bytes of a body that nobody wants; a longer one costs the connection */
};

static const struct exchange_carrier carrier;

static struct http1_exchange *of_exchange(const struct exchange *exchange) {
    return CONTAINER_OF(exchange, struct http1_exchange, exchange);
}

static struct connection *connection_of(const struct exchange *exchange) {
    return exchange->owner;
}

static void begin_exchange(struct connection *connection) {
    struct http1_exchange *http1 = slab_take(&connection->client.shard->exchanges);

    CHECK(http1 != NULL); /* one for each connection */
    exchange_init(&http1->exchange, &carrier, connection, &connection->client);
    http1->discard_left = 0;
    http1->framing = HTTP_NO_BODY;
    http1->refused = http1->answered = http1->keep_alive = false;
    http_parser_init_request(&http1->parser, &http1->exchange.request, connection_limits(connection)->request_header_size);
    connection->http1.exchange = http1;
    connection->http1.requests++;
}

static void end_exchange(struct connection *connection) {
    struct http1_exchange *http1 = connection->http1.exchange;

    exchange_end(&http1->exchange);
    slab_give(&connection->client.shard->exchanges, http1);
    connection->http1.exchange = NULL;
}

/*
 * Returns whether the client has asked for something that is still to be answered. A client that has said its last word, by
 * close_notify or by FIN, may still listen (RFC 8446 section 6.1, RFC 9112 section 9.6): its whole requests are answered,
 * and a part of one is no request. Held bytes are worked through later, and decided upon then.
 */
static bool has_asked(const struct connection *connection) {
    const struct http1_exchange *http1 = connection->http1.exchange;

    if (connection->stage == &http1_head) {
        return false;
    }
    return connection->held.size > 0 || (http1 != NULL && http1->exchange.request_done);
}

/* Ends a connection whose client has said its last word, once nothing is left to answer: after each step of its work. */
static void part(struct connection *connection) {
    const struct http1_exchange *http1 = connection->http1.exchange;

    if (!connection->http1.peer_closed || connection->processing || has_asked(connection)) {
        return;
    }
    /* Earlier answers leave whole; only an answer that is cut off must not look complete. */
    bool in_answer = http1 != NULL && http1->exchange.code != 0 && !http1->answered;
    connection_end(connection, in_answer ? CONNECTION_TRUNCATED : CONNECTION_POLITELY);
}

static void finished(struct connection *connection, bool by_fin) {
    connection->http1.peer_closed = true;
    part(connection);
    if (connection->http1.exchange != NULL) {
        exchange_doubt(&connection->http1.exchange->exchange);
    }
    if (by_fin && !connection_is_closing(connection)) {
        stream_watch(connection->stream); /* from here on only a reset tells that the client is gone */
    }
}

static void finished_waiting(struct connection *connection, bool by_fin) {
    if (by_fin && connection->http1.requests == 0) {
        connection_end(connection,
                       CONNECTION_ABRUPTLY); /* a client that asked for nothing gets nothing, not even a record */
    } else {
        finished(connection, by_fin);
    }
}

/* Goes on after an event from the origin's side, or when there is room: with a request that was held, or with more input. */
static void go_on(void *owner) {
    struct connection *connection = owner;

    if (connection->processing) {
        return;
    }
    if (connection->stage == &http1_tunnelling) {
        http1_tunnel_go_on(connection);
    } else {
        if (connection->stage == &http1_waiting && connection->held.size > 0) {
            plaintext_resume(connection);
        }
        part(connection);
    }
    connection_arm(connection);
}

/*
 * Returns whether the connection is to be kept after the answer whose head is about to be written. Behind an answer of ours
 * the rest of a request must be found cheaply.
 */
static bool is_worth_keeping(struct http1_exchange *http1) {
    const struct exchange *exchange = &http1->exchange;
    const struct http_message *request = &exchange->request;

    /* A client may have begun its tunnel already: what comes behind a CONNECT must not be taken for requests. */
    if (http1->refused || !request->keep_alive || request->method_kind == HTTP_METHOD_CONNECT ||
        http1->framing == HTTP_UNTIL_CLOSE || exchange->dismissed || exchange->client->shard->draining) {
        return false;
    }
    if (exchange->request_done) {
        return true;
    }
    if (exchange->relay != NULL || request->framing != HTTP_LENGTH || request->content_length > DISCARD_MAX ||
        request->expect_continue) {
        return false;
    }
    http1->discard_left = request->content_length;
    return true;
}

/* Request and answer are complete: waits for the next request, or ends the connection. */
static void complete(struct connection *connection) {
    bool keep_alive = connection->http1.exchange->keep_alive;
    bool may_ask = !connection->http1.peer_closed || connection->processing || connection->held.size > 0;

    end_exchange(connection);
    if (keep_alive && may_ask && !connection->client.shard->draining && site_switch(&connection->client)) {
        connection_enter(connection, &http1_waiting);
        place_update(connection);
    } else {
        connection_end(connection, CONNECTION_POLITELY);
    }
}

/* The answer is queued. With a body still on its way the exchange stays, to read and drop it. */
static void finish_answer(struct http1_exchange *http1) {
    http1->answered = true;
    if (http1->exchange.request_done || !http1->keep_alive) {
        complete(connection_of(&http1->exchange));
    }
}

static bool send_interim(struct exchange *exchange, const struct http_message *response, const void *head) {
    struct text out = exchange_head_memory(exchange);

    if (exchange->request.minor == 0) {
        return true; /* HTTP/1.0 has none (RFC 9110 section 15.2) */
    }
    http_write_response(&out, response, head, HTTP_NO_BODY, exchange->request.minor, true, exchange->request.head_request,
                        &(struct http_stamp){0});
    return out.overflow || output_send(connection_of(exchange), text_bytes(&out));
}

static bool send_head(struct exchange *exchange, const struct http_message *response, const void *head) {
    struct http1_exchange *http1 = of_exchange(exchange);
    const struct http_message *request = &exchange->request;
    const struct http_stamp ours = exchange_stamp(exchange);
    struct text out = exchange_head_memory(exchange);

    http1->framing = http_response_framing(response, request->minor, request->head_request);
    http1->keep_alive = !exchange->is_tunnel && is_worth_keeping(http1);
    http_write_response(&out, response, head, http1->framing, request->minor, http1->keep_alive, request->head_request,
                        &ours);
    if (out.overflow) {
        return false;
    }
    if (exchange->is_tunnel) {
        connection_enter(connection_of(exchange), &http1_tunnelling);
        http1_tunnel_begin(connection_of(exchange));
    }
    output_send(connection_of(exchange), text_bytes(&out));
    return true;
}

static bool send_body(struct exchange *exchange, struct bytes piece) {
    struct connection *connection = connection_of(exchange);

    if (of_exchange(exchange)->framing != HTTP_CHUNKED) {
        return output_send(connection, piece);
    }
    char line[HTTP_CHUNK_LINE_MAX];
    size_t size = http_chunk_line(line, piece.size);
    return output_send(connection, bytes_of(line, size)) && output_send(connection, piece) &&
           output_send(connection, bytes_of_string(HTTP_CHUNK_END));
}

static void send_end(struct exchange *exchange, struct bytes trailers) {
    struct http1_exchange *http1 = of_exchange(exchange);

    if (http1->framing == HTTP_CHUNKED) {
        struct text out = exchange_head_memory(exchange);

        text_append_string(&out, HTTP_TRAILERS_BEGIN);
        http_write_trailers(&out, trailers, (struct bytes){0},
                            &(struct http_forwarding){.removals = exchange->site->config->removals,
                                                      .strip = exchange->host->answer_rules.removals});
        text_append_string(&out, HTTP_CHUNK_END);
        if (!output_send(connection_of(exchange), text_bytes(&out))) {
            return;
        }
    }
    finish_answer(http1);
}

/* TLS has a last word of its own. A FIN behind it would leave no way to answer what the client's TLS may still ask. */
static void send_half_end(struct exchange *exchange) {
    struct connection *connection = connection_of(exchange);

    if (output_finish(connection, true)) {
        tls_session_shutdown(connection->client.tls);
    }
}

static void send_reply(struct exchange *exchange, struct http_reply *reply) {
    struct http1_exchange *http1 = of_exchange(exchange);
    struct text out = exchange_head_memory(exchange);

    http1->framing = HTTP_LENGTH;
    http1->keep_alive = reply->keep_alive = is_worth_keeping(http1);
    http_write_reply(&out, reply);
    CHECK(!out.overflow); /* bodies are at most 64 KiB */
    if (output_send(connection_of(exchange), text_bytes(&out))) {
        finish_answer(http1);
    }
}

static void invite_body(struct exchange *exchange) {
    if (exchange->request.expect_continue && exchange->request.minor > 0) {
        output_send(connection_of(exchange), bytes_of_string("HTTP/1.1 100 Continue\r\n\r\n"));
    }
}

static void reset(struct exchange *exchange, enum exchange_reset how) {
    connection_end(connection_of(exchange), how == EXCHANGE_CUT_SHORT ? CONNECTION_TRUNCATED : CONNECTION_ABRUPTLY);
}

static size_t room(const struct exchange *exchange) {
    return stream_room(connection_of(exchange)->stream);
}

static const struct exchange_carrier carrier = {
    .send_interim = send_interim,
    .send_head = send_head,
    .send_body = send_body,
    .send_end = send_end,
    .send_half_end = send_half_end,
    .send_reply = send_reply,
    .invite_body = invite_body,
    .reset = reset,
    .room = room,
    .read_more = go_on,
};

static size_t read_head(struct connection *connection, struct bytes input) {
    struct http1_exchange *http1 = connection->http1.exchange;
    struct exchange *exchange = &http1->exchange;
    enum http_result result = http_parser_head(&http1->parser, input);

    if (result == HTTP_PARSE_MORE) {
        return 0;
    }
    connection_enter(connection, &http1_answering);
    if (result == HTTP_PARSE_HEAD) {
        size_t used = exchange->request.head_size;

        exchange_begin(exchange, input);
        return used;
    }
    http1->refused = true;
    exchange_refuse(exchange, http1->parser.error_status);
    return input.size;
}

static size_t read_first(struct connection *connection, struct bytes input) {
    if (stream_room(connection->stream) == 0) {
        return 0;
    }
    begin_exchange(connection);
    pace_begin(&connection->pace);
    place_ask(connection);
    connection_enter(connection, &http1_head);
    return read_head(connection, input);
}

/* Takes a piece of a body, or drops it. False: the connection has been given up. */
static bool take_piece(struct connection *connection, struct bytes piece) {
    struct http1_exchange *http1 = connection->http1.exchange;

    if (exchange_body(&http1->exchange, piece)) {
        return true;
    }
    if (piece.size > http1->discard_left) {
        connection_end(connection, CONNECTION_POLITELY);
        return false;
    }
    http1->discard_left -= piece.size;
    return true;
}

static void end_body(struct connection *connection) {
    struct http1_exchange *http1 = connection->http1.exchange;
    bool answered = http1->answered;

    exchange_body_end(&http1->exchange, http_parser_trailers(&http1->parser));
    if (answered) {
        complete(connection);
    }
}

static size_t read_body(struct connection *connection, struct bytes input) {
    struct http1_exchange *http1 = connection->http1.exchange;
    size_t size = input.size;

    if (http1->exchange.request_done) {
        return 0;
    }
    http1->parser.trailers = exchange_trailers_memory(&http1->exchange);
    /* Each step may end the connection or the exchange, by way of the origin or of the answer's completion. */
    while (connection->stage == &http1_answering && connection->http1.exchange == http1) {
        struct bytes piece;

        switch (http_parser_body(&http1->parser, &input, &piece)) {
        case HTTP_PARSE_BODY:
            if (!take_piece(connection, piece)) {
                return size;
            }
            break;
        case HTTP_PARSE_END:
            size -= input.size;
            end_body(connection);
            return size;
        case HTTP_PARSE_MORE:
            return size - input.size;
        default:
            http1->refused = true;
            exchange_refuse(&http1->exchange, http1->parser.error_status);
            return size;
        }
    }
    return size - input.size;
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
    exchange_refuse(exchange, 408);
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
    go_on(connection);
}

static void drained_answering(struct connection *connection) {
    connection_progress(connection);
    exchange_drained(&connection->http1.exchange->exchange);
    go_on(connection);
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

/*
 * Records are larger than what is in them, so that as many bytes of them as are left of the body bring nothing of the next
 * request, unless the part of a record that the session has already does.
 */
static size_t bulk(const struct connection *connection) {
    const struct exchange *exchange = &connection->http1.exchange->exchange;

    if (exchange->request_done || exchange->request.framing != HTTP_LENGTH) {
        return 0;
    }
    uint64_t left = exchange->request.content_length - exchange->body_in;
    size_t room = exchange_room(exchange);
    return left < room ? (size_t)left : room;
}

static bool leave(struct connection *connection, enum connection_end how) {
    if (!output_leave(connection, how)) {
        return false;
    }
    if (connection->http1.exchange != NULL) {
        end_exchange(connection);
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
    .plaintext = read_first,
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
    .plaintext = read_head,
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
    .plaintext = read_body,
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
    .leave = leave,
};

void http1_begin(struct connection *connection) {
    connection_enter(connection, &http1_waiting);
    place_update(connection);
    plaintext_read(connection);
}
