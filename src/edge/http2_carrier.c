/* How the answer of an exchange leaves on a stream of HTTP/2. */
#include "base/check.h"
#include "edge/exchange_reply.h"
#include "edge/http2_tunnel.h"
#include "http/trailers.h"

/*
 * Each of these functions stands between http2_enter and http2_leave: the session may find the stream, or the connection, at
 * its end meanwhile. The stream's memory is there until http2_leave; `over` says whether its exchange still is.
 */

/* The answer ends: lets in what the client still sends of its request. Behind the end not each client would see it. */
static void widen_for_rest(struct http2_exchange *http2) {
    if (!http2->over && !http2->exchange.request_done && !http2->exchange.is_tunnel) {
        http2_stream_widen(&http2->stream, HTTP2_DISCARD_MAX);
    }
}

static void send_head_text(struct http2_exchange *http2, const struct text *head, bool end) {
    if (end) {
        widen_for_rest(http2);
    }
    http2->ended = http2->ended || end;
    if (!http2_stream_head(&http2->stream, text_bytes(head), end) && !http2->over) {
        http2_reset_stream(http2, HTTP2_INTERNAL_ERROR); /* there is no memory for it */
    }
}

static void send_piece(struct http2_exchange *http2, struct bytes piece) {
    if (!http2->over && !http2_stream_send(&http2->stream, piece) && !http2->over) {
        http2_reset_stream(http2, HTTP2_INTERNAL_ERROR);
    }
}

/* Ends the answer, unless its head has done that. */
static void send_last(struct http2_exchange *http2, struct bytes trailers) {
    widen_for_rest(http2);
    if (!http2->over && http2->ended && http2->exchange.is_tunnel && !http2->stream.in_ended) {
        http2_reset_stream(http2, HTTP2_NO_ERROR); /* of its other half the client is not told otherwise */
    }
    if (!http2->over && !http2->ended) {
        http2->ended = true;
        if (!http2_stream_end(&http2->stream, trailers) && !http2->over) {
            http2_reset_stream(http2, HTTP2_INTERNAL_ERROR);
        }
    }
    if (!http2->over) {
        http2_finish_answer(http2);
    }
}

static bool send_interim(struct exchange *exchange, const struct http_message *response, const void *head) {
    struct http2_exchange *http2 = http2_of_exchange(exchange);
    struct connection *connection = http2_connection(http2);
    struct text out = exchange_head_memory(exchange);

    http_write_response(&out, response, head, HTTP_NO_BODY, 1, true, exchange->request.head_request,
                        &(struct http_stamp){0});
    if (out.overflow) {
        return true;
    }
    http2_enter(connection);
    send_head_text(http2, &out, false);
    bool is_there = !http2->over;
    http2_leave(connection);
    http2_flush_later(connection);
    return is_there;
}

/* A switch of protocols is an answer without an end in HTTP/2 (RFC 8441 section 5). */
static bool send_head(struct exchange *exchange, const struct http_message *response, const void *head) {
    const struct http_stamp ours = exchange_stamp(exchange);
    enum http_framing framing = http_response_framing(response, 1, exchange->request.head_request);
    bool no_body = framing == HTTP_NO_BODY || (framing == HTTP_LENGTH && response->content_length == 0);
    struct http2_exchange *http2 = http2_of_exchange(exchange);
    struct connection *connection = http2_connection(http2);
    struct http_message answer = *response;
    struct text out = exchange_head_memory(exchange);

    answer.status = exchange->is_tunnel ? 200 : response->status;
    http_write_response(&out, &answer, head, framing, 1, true, exchange->request.head_request, &ours);
    if (out.overflow) {
        return false;
    }
    http2_enter(connection);
    send_head_text(http2, &out, no_body && !exchange->is_tunnel);
    if (exchange->is_tunnel && !http2->over) {
        http2_tunnel_begin(http2);
    }
    http2_leave(connection);
    http2_flush_later(connection);
    return true;
}

static bool send_body(struct exchange *exchange, struct bytes piece) {
    struct http2_exchange *http2 = http2_of_exchange(exchange);
    struct connection *connection = http2_connection(http2);

    http2_enter(connection);
    send_piece(http2, piece);
    bool is_there = !http2->over;
    http2_leave(connection);
    http2_flush_later(connection);
    return is_there;
}

static void send_end(struct exchange *exchange, struct bytes trailers) {
    struct http2_exchange *http2 = http2_of_exchange(exchange);
    struct connection *connection = http2_connection(http2);
    struct text out = exchange_head_memory(exchange);

    http_write_trailers(&out, trailers, (struct bytes){0},
                        &(struct http_forwarding){.removals = exchange->site->config->removals,
                                                  .strip = exchange->host->answer_rules.removals});
    http2_enter(connection);
    send_last(http2, out.overflow ? (struct bytes){0} : text_bytes(&out));
    http2_leave(connection);
    http2_flush_later(connection);
}

static void send_reply(struct exchange *exchange, struct http_reply *reply) {
    struct http2_exchange *http2 = http2_of_exchange(exchange);
    struct connection *connection = http2_connection(http2);
    bool has_body = !reply->to_head && reply->body.size > 0;
    struct text out = exchange_head_memory(exchange);

    reply->keep_alive = true;
    http_write_reply(&out, reply);
    CHECK(!out.overflow); /* bodies are at most 64 KiB */
    http2_enter(connection);
    send_head_text(http2, &out, !has_body);
    if (has_body) {
        send_piece(http2, reply->body);
    }
    send_last(http2, (struct bytes){0});
    http2_leave(connection);
    http2_flush_later(connection);
}

static void invite_body(struct exchange *exchange) {
    struct connection *connection = exchange->owner;
    struct text out = exchange_head_memory(exchange);

    if (exchange->request.expect_continue) {
        text_append_string(&out, "HTTP/1.1 100 Continue\r\n\r\n");
        http2_enter(connection);
        send_head_text(http2_of_exchange(exchange), &out, false);
        http2_leave(connection);
        http2_flush_later(connection);
    }
}

static void reset(struct exchange *exchange, enum exchange_reset how) {
    struct connection *connection = exchange->owner;

    http2_enter(connection);
    http2_reset_stream(http2_of_exchange(exchange), how == EXCHANGE_CUT_SHORT ? HTTP2_INTERNAL_ERROR : HTTP2_CANCEL);
    http2_leave(connection);
}

static size_t room(const struct exchange *exchange) {
    return http2_stream_room(&http2_of_exchange(exchange)->stream);
}

/* An origin takes more: goes on with the bodies that wait. Each may end its stream, or others, or the connection. */
static void read_more(void *owner) {
    struct connection *connection = owner;
    struct list waiting;

    if (connection_is_closing(connection) || list_is_empty(&connection->http2.waiting)) {
        return;
    }
    http2_enter(connection);
    list_init(&waiting);
    list_move_all(&waiting, &connection->http2.waiting);
    struct list *link;
    while ((link = list_first(&waiting)) != NULL) {
        struct http2_exchange *http2 = CONTAINER_OF(link, struct http2_exchange, in_waiting);

        list_remove(link);
        pace_arm(&http2->pace, connection_now_ms(connection)); /* not the client was waited for */
        http2_stream_resume(&http2->stream);
    }
    http2_leave(connection);
    http2_flush_later(connection);
}

const struct exchange_carrier http2_carrier = {
    .many = true,
    .send_interim = send_interim,
    .send_head = send_head,
    .send_body = send_body,
    .send_end = send_end,
    .send_half_end = http2_tunnel_end_half,
    .send_reply = send_reply,
    .invite_body = invite_body,
    .reset = reset,
    .room = room,
    .read_more = read_more,
};
