#include "edge/exchange.h"

#include "base/check.h"
#include "base/clock.h"
#include "config/methods.h"
#include "edge/adopt.h"
#include "edge/naming.h"
#include "edge/output.h"
#include "edge/passage.h"
#include "edge/place.h"
#include "edge/verdict.h"
#include "http/forward.h"
#include "http/persistence.h"

#include <string.h>

enum {
    DISCARD_MAX = 64 * 1024, /* of a body that nobody wants; a longer one costs the connection */
};

static const struct relay_handler relay_handler;

struct exchange *exchange_create(struct connection *connection) {
    const size_t end = offsetof(struct exchange, note) + offsetof(struct journal_note, method);
    struct exchange *exchange = slab_take(&connection->shard->exchanges);

    if (exchange == NULL) {
        return NULL;
    }
    /* Not the 1.6 KiB of headers, nor texts for the log: their numbers are 0. */
    memset((char *)exchange, 0, offsetof(struct exchange, request));
    memset((char *)exchange + offsetof(struct exchange, relay), 0, end - offsetof(struct exchange, relay));
    exchange->connection = connection;
    exchange->request.headers = exchange->headers;
    exchange->request.headers_max = HTTP_HEADERS_MAX;
    http_parser_init_request(&exchange->parser, &exchange->request, connection->site->config->limits.request_header_size);
    return exchange;
}

static struct stats_host *host_stats(const struct exchange *exchange) {
    return connection_host_stats(exchange->connection);
}

void exchange_destroy(struct exchange *exchange) {
    struct shard *shard = exchange->connection->shard;

    if (exchange->relay != NULL) {
        relay_exchange_abort(exchange->relay);
    }
    if (exchange->code != 0) {
        stats_add(&host_stats(exchange)->requests[stats_code_slot(exchange->code)], 1);
        /* Not the turn's time: answers of our own are begun and done in one turn. */
        stats_time_of_host(shard->stats, &host_stats(exchange)->request_seconds, STATS_REQUEST,
                           clock_monotonic_ns() - exchange->started_ns);
    }
    if (exchange->started_ns != 0) {
        journal_request(exchange);
    }
    passage_end(exchange);
    slab_give(&shard->exchanges, exchange);
}

static void count_rejection(const struct exchange *exchange, enum stats_stage stage, enum stats_rejection why) {
    stats_add(&exchange->connection->shard->stats->rejected[stage][why], 1);
}

/* The answer is queued. With a body still on its way the exchange stays, to read and drop it. */
static void finish_answer(struct exchange *exchange) {
    exchange->answer_done = true;
    if (exchange->request_done || !exchange->keep_alive) {
        connection_exchange_done(exchange->connection, exchange->keep_alive);
    }
}

/* Whether the connection is worth keeping after an answer of ours: what follows must be found, cheaply. */
static bool can_keep_alive(struct exchange *exchange) {
    const struct http_message *request = &exchange->request;

    if (exchange->refused || !request->keep_alive || exchange->connection->shard->draining ||
        exchange->connection->verdict_lost || exchange->dismissed) {
        return false;
    }
    if (exchange->request_done) {
        return true;
    }
    if (request->framing != HTTP_LENGTH || request->content_length > DISCARD_MAX || request->expect_continue) {
        return false;
    }
    exchange->discard_left = request->content_length;
    return true;
}

/* An answer of our own; `fields` may be NULL. The exchange may be gone when this returns. */
static void reply(struct exchange *exchange, unsigned status, const char *content_type, const char *fields,
                  struct bytes body) {
    struct shard *shard = exchange->connection->shard;
    struct text out = text_over(shard->head, sizeof shard->head);
    bool to_head = exchange->request.head_request;

    exchange->code = status;
    exchange->keep_alive = can_keep_alive(exchange);
    http_write_reply(&out, &(struct http_reply){
                               .status = status,
                               .content_type = content_type,
                               .stamp = naming_stamp(exchange),
                               .fields = fields,
                               .body = body,
                               .keep_alive = exchange->keep_alive,
                               .to_head = to_head,
                           });
    CHECK(!out.overflow); /* bodies are at most 64 KiB */
    exchange->body_out = to_head ? 0 : body.size;
    if (output_send(exchange->connection, text_bytes(&out))) {
        finish_answer(exchange);
    }
}

static void reply_status_with(struct exchange *exchange, unsigned status, const char *fields) {
    reply(exchange, status, "text/plain; charset=utf-8", fields, bytes_of_string(http_status_text(status)));
}

static void reply_status(struct exchange *exchange, unsigned status) {
    reply_status_with(exchange, status, NULL);
}

/* With the methods that the host takes (RFC 9110 sections 10.2.1 and 15.5.6). */
static void reply_allowed(struct exchange *exchange, unsigned status) {
    struct text fields = text_over(exchange->connection->shard->fields, SHARD_FIELDS_SIZE - 1);

    text_append_string(&fields, "Allow: ");
    text_append_string(&fields, methods_allowed(exchange->connection->host));
    text_append_string(&fields, "\r\n");
    CHECK(!fields.overflow);
    fields.data[fields.size] = '\0';
    reply_status_with(exchange, status, fields.data);
}

enum http_result exchange_head(struct exchange *exchange, struct bytes head) {
    enum http_result result = http_parser_head(&exchange->parser, head);

    exchange->refused = result == HTTP_PARSE_ERROR;
    return result;
}

static enum stats_rejection rejection_of(unsigned status) {
    switch (status) {
    case 413:
    case 414:
    case 431:
        return STATS_REJECT_TOO_LARGE;
    case 501:
        return STATS_REJECT_NOT_IMPLEMENTED;
    default:
        return STATS_REJECT_MALFORMED;
    }
}

static void deny(struct exchange *exchange, struct bytes head, enum reason reason) {
    const struct config_host *host = exchange->connection->host;

    count_rejection(exchange, STATS_AT_CERTIFICATE, STATS_REJECT_DENIED);
    stats_add(&host_stats(exchange)->denied[reason], 1);
    exchange->dismissed = place_is_scarce(exchange->connection->shard);
    if (http_prefers_html(&exchange->request, head.data)) {
        reply(exchange, 403, "text/html; charset=utf-8", NULL, host->deny_html);
    } else {
        reply(exchange, 403, "application/json", NULL, host->deny_json);
    }
}

/* The head for the origin, written to the shard's scratch memory. */
static struct text write_head(struct exchange *exchange, struct bytes head, const struct identity *identity) {
    struct connection *connection = exchange->connection;
    struct shard *shard = connection->shard;
    struct text connection_fields = text_over(shard->fields, sizeof shard->fields);
    struct forward_connection facts = {
        .tls_version = tls_session_version(connection->tls),
        .tls_cipher = tls_session_cipher(connection->tls),
        .sni = connection->name[0] == '\0' ? NULL : connection->name,
    };
    struct text out = text_over(shard->head, sizeof shard->head);

    forward_render_connection(&connection->host->forward, &facts, &connection_fields);

    struct http_forwarding forwarding = {
        .removals = connection->site->config->removals,
        .strip = connection->host->strip,
        .client_address = bytes_of_string(connection->address),
        .host_name = naming_for_origin(connection),
        .request_id = naming_id(exchange),
        .identity = identity->headers,
        .connection = text_bytes(&connection_fields),
    };

    http_write_request(&out, &exchange->request, head.data, &forwarding);
    out.overflow = out.overflow || connection_fields.overflow;
    return out;
}

static void relay(struct exchange *exchange, struct bytes head, const struct identity *identity) {
    struct connection *connection = exchange->connection;
    passage_begin(exchange, head);
    struct text out = write_head(exchange, head, identity);
    struct relay_request request = {
        .host = connection->host,
        .head = text_bytes(&out),
        .framing = exchange->request.framing,
        .to_head = exchange->request.head_request,
        .idempotent = exchange->request.idempotent,
        .signs_in = http_request_signs_in(&exchange->request, head.data),
        .last = http_content_may_be_left(&exchange->request),
        .trailers = exchange->request.trailers_wanted,
        .client = &connection->origin,
    };

    if (out.overflow) {
        count_rejection(exchange, STATS_AT_REQUEST, STATS_REJECT_TOO_LARGE);
        reply_status(exchange, 431);
        return;
    }
    exchange->relayed_ns = connection->shard->ring.now_ns;
    exchange->relay =
        relay_exchange_start(connection->site->relay, &request, &relay_handler, exchange, &exchange->origin_fault);
    if (exchange->relay == NULL) {
        reply_status(exchange, 502);
        return;
    }
    exchange->origin_fault = RELAY_FAULT_NONE;
    if (exchange->request_done) {
        relay_exchange_body_end(exchange->relay);
    } else if (exchange->request.expect_continue && exchange->request.minor > 0) {
        output_send(connection, bytes_of_string("HTTP/1.1 100 Continue\r\n\r\n"));
    }
}

/* In mode `report`: counts this request by reason if mode `enforce` would have answered 403. */
static void count_would_block(const struct exchange *exchange, const struct identity *identity) {
    const struct connection *connection = exchange->connection;

    if (connection->host->mode != CONFIG_REPORT || identity->status == STATUS_VALID) {
        return;
    }
    stats_add(&host_stats(exchange)->would_block[identity->reason], 1);
    if (identity->status == STATUS_INVALID) {
        struct rollout_clients *clients =
            stats_hosts_rollout_clients(connection->site->stats, connection->host->index, connection->shard->index);

        CHECK(clients != NULL); /* the mode is that of the same configuration */
        rollout_note_client(clients, identity->issuer, identity->ski);
    }
}

/* True for what is answered here because of its method; the exchange may then be gone. */
static bool answers_by_method(struct exchange *exchange, struct bytes head) {
    const struct http_message *request = &exchange->request;
    uint32_t left;

    if (!methods_take(exchange->connection->host, http_view(head.data, request->method))) {
        count_rejection(exchange, STATS_AT_REQUEST, STATS_REJECT_METHOD);
        reply_allowed(exchange, 405);
        return true;
    }
    if (request->method_kind != HTTP_METHOD_OPTIONS) {
        return false;
    }
    switch (http_max_forwards(request, head.data, &left)) {
    case HTTP_HOPS_UNREADABLE:
        count_rejection(exchange, STATS_AT_REQUEST, STATS_REJECT_MALFORMED);
        reply_status(exchange, 400);
        return true;
    case HTTP_HOPS_LEFT:
        if (left == 0) {
            reply_allowed(exchange, 200);
        }
        return left == 0;
    case HTTP_HOPS_ABSENT:
        break;
    }
    return false;
}

void exchange_begin(struct exchange *exchange, struct bytes head) {
    struct connection *connection = exchange->connection;
    const struct http_message *request = &exchange->request;
    const struct identity *identity;

    exchange->started_ns = connection->shard->ring.now_ns;
    naming_identify(exchange, head);
    journal_note_request(exchange, head);
    if (exchange->refused) {
        count_rejection(exchange, STATS_AT_REQUEST, rejection_of(exchange->parser.error_status));
        reply_status(exchange, exchange->parser.error_status);
        return;
    }
    exchange->request_done =
        request->framing == HTTP_NO_BODY || (request->framing == HTTP_LENGTH && request->content_length == 0);
    if (request->method_kind == HTTP_METHOD_CONNECT) {
        count_rejection(exchange, STATS_AT_REQUEST, STATS_REJECT_NOT_IMPLEMENTED);
        reply_status(exchange, 501);
        return;
    }
    /* A reload since the last request counts for this one. */
    if (!adopt_site(connection) || !naming_is_ours(exchange, head)) {
        count_rejection(exchange, STATS_AT_REQUEST, STATS_REJECT_MISDIRECTED);
        reply_status(exchange, 421);
        return;
    }
    identity = verdict_now(connection);
    if (identity == NULL) {
        reply_status(exchange, 500);
    } else if (connection->host->mode == CONFIG_ENFORCE && identity->status != STATUS_VALID) {
        deny(exchange, head, identity->reason);
    } else if (!answers_by_method(exchange, head)) {
        count_would_block(exchange, identity);
        relay(exchange, head, identity);
    }
}

/* The body is no HTTP. Before the answer has begun the client is told; after, only the end of the connection can tell. */
static void refuse_body(struct exchange *exchange) {
    count_rejection(exchange, STATS_AT_REQUEST, rejection_of(exchange->parser.error_status));
    exchange->refused = true;
    if (exchange->code != 0) {
        connection_end(exchange->connection, CONNECTION_TRUNCATED);
        return;
    }
    if (exchange->relay != NULL) {
        relay_exchange_abort(exchange->relay);
        exchange->relay = NULL;
    }
    reply_status(exchange, exchange->parser.error_status);
}

/* False when the connection has been given up. */
static bool take_piece(struct exchange *exchange, struct bytes piece) {
    exchange->body_in += piece.size;
    if (exchange->relay != NULL) {
        relay_exchange_body(exchange->relay, piece);
        return true;
    }
    if (piece.size > exchange->discard_left) {
        connection_end(exchange->connection, CONNECTION_POLITELY);
        return false;
    }
    exchange->discard_left -= piece.size;
    return true;
}

size_t exchange_body(struct exchange *exchange, struct bytes input) {
    struct connection *connection = exchange->connection;
    size_t size = input.size;

    if (exchange->request_done) {
        return 0;
    }
    /* Each step may end the connection or the exchange, by way of the origin or of the answer's completion. */
    while (connection->state == CONNECTION_EXCHANGE && connection->exchange == exchange) {
        struct bytes piece;

        switch (http_parser_body(&exchange->parser, &input, &piece)) {
        case HTTP_PARSE_BODY:
            if (!take_piece(exchange, piece)) {
                return size;
            }
            break;
        case HTTP_PARSE_END:
            exchange->request_done = true;
            if (exchange->relay != NULL) {
                relay_exchange_body_end_with(exchange->relay, passage_request_trailers(exchange));
            } else if (exchange->answer_done) {
                connection_exchange_done(connection, exchange->keep_alive);
            }
            return size - input.size;
        case HTTP_PARSE_MORE:
            return size - input.size;
        default:
            refuse_body(exchange);
            return size;
        }
    }
    return size - input.size;
}

bool exchange_wants_body(const struct exchange *exchange) {
    return exchange->request_done || exchange->relay == NULL || relay_exchange_room(exchange->relay) > 0;
}

void exchange_drained(struct exchange *exchange) {
    if (exchange->paused && exchange->relay != NULL && stream_room(exchange->connection->stream) > 0) {
        exchange->paused = false;
        relay_exchange_resume(exchange->relay);
    }
}

void exchange_timed_out(struct exchange *exchange) {
    struct connection *connection = exchange->connection;

    /* The origin has deadlines of its own: with nothing for the client to do, this is not the client's fault. */
    if ((exchange->request_done || !exchange_wants_body(exchange)) && connection->stream->queue.size == 0) {
        connection_progress(connection);
        return;
    }
    count_rejection(exchange, STATS_AT_REQUEST, STATS_REJECT_TIMEOUT);
    if (exchange->code != 0) {
        connection_end(connection, CONNECTION_ABRUPTLY);
        return;
    }
    exchange->refused = true;
    if (exchange->started_ns == 0) {
        exchange->started_ns = connection->shard->ring.now_ns;
        naming_identify(exchange, (struct bytes){0});
    }
    if (exchange->relay != NULL) {
        relay_exchange_abort(exchange->relay);
        exchange->relay = NULL;
    }
    reply_status(exchange, 408);
}

static void on_head(void *owner, const struct http_message *response, const void *head) {
    struct exchange *exchange = owner;
    struct connection *connection = exchange->connection;
    struct shard *shard = connection->shard;
    struct text out = text_over(shard->head, sizeof shard->head);
    const struct http_message *request = &exchange->request;
    const struct http_stamp ours = naming_stamp(exchange);

    exchange->origin_ns = shard->ring.now_ns - exchange->relayed_ns;
    stats_time_of_host(shard->stats, &host_stats(exchange)->origin_seconds, STATS_ORIGIN, exchange->origin_ns);
    exchange->framing = http_response_framing(response, request->minor, request->head_request);
    exchange->keep_alive =
        request->keep_alive && exchange->request_done && !shard->draining && exchange->framing != HTTP_UNTIL_CLOSE;
    http_write_response(&out, response, head, exchange->framing, request->minor, exchange->keep_alive, request->head_request,
                        &ours);
    if (out.overflow) {
        exchange->origin_fault = RELAY_FAULT_TOO_LARGE;
        relay_exchange_refuse(exchange->relay, exchange->origin_fault);
        exchange->relay = NULL;
        reply_status(exchange, 502);
        connection_continue(connection);
        return;
    }
    exchange->code = response->status;
    output_send(connection, text_bytes(&out));
}

void exchange_hold_back(struct exchange *exchange) {
    if (stream_room(exchange->connection->stream) == 0 && !exchange->paused) {
        exchange->paused = true;
        relay_exchange_pause(exchange->relay);
    }
}

static void on_body(void *owner, struct bytes piece) {
    struct exchange *exchange = owner;
    struct connection *connection = exchange->connection;

    exchange->body_out += piece.size;
    if (exchange->framing == HTTP_CHUNKED) {
        char line[HTTP_CHUNK_LINE_MAX];
        size_t size = http_chunk_line(line, piece.size);

        if (!output_send(connection, bytes_of(line, size)) || !output_send(connection, piece) ||
            !output_send(connection, bytes_of_string(HTTP_CHUNK_END))) {
            return;
        }
    } else if (!output_send(connection, piece)) {
        return;
    }
    exchange_hold_back(exchange);
}

static void on_end(void *owner, struct bytes trailers) {
    struct exchange *exchange = owner;
    struct connection *connection = exchange->connection;

    exchange->relay = NULL;
    if (exchange->framing == HTTP_CHUNKED && !passage_response_end(exchange, trailers)) {
        return;
    }
    finish_answer(exchange);
    connection_continue(connection);
}

static void on_relay_failed(void *owner, enum relay_error error, enum relay_fault fault) {
    struct exchange *exchange = owner;
    struct connection *connection = exchange->connection;

    exchange->relay = NULL;
    exchange->origin_fault = fault;
    if (exchange->code != 0) {
        connection_end(connection, CONNECTION_TRUNCATED);
        return;
    }
    reply_status(exchange, error == RELAY_TIMEOUT ? 504 : 502);
    connection_continue(connection);
}

static void on_relay_drained(void *owner) {
    struct exchange *exchange = owner;

    connection_continue(exchange->connection);
}

static const struct relay_handler relay_handler = {
    .interim = passage_interim,
    .head = on_head,
    .body = on_body,
    .end = on_end,
    .failed = on_relay_failed,
    .drained = on_relay_drained,
};
