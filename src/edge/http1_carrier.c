#include "edge/http1_carrier.h"

#include "base/check.h"
#include "edge/exchange_reply.h"
#include "edge/http1_exchange.h"
#include "edge/http1_tunnel.h"
#include "edge/output.h"
#include "edge/plaintext.h"
#include "http/trailers.h"

static bool send_interim(struct exchange *exchange, const struct http_message *response, const void *head) {
    struct text out = exchange_head_memory(exchange);

    if (exchange->request.minor == 0) {
        return true; /* HTTP/1.0 has none (RFC 9110 section 15.2) */
    }
    http_write_response(&out, response, head, HTTP_NO_BODY, exchange->request.minor, true, exchange->request.head_request,
                        &(struct http_stamp){0});
    return out.overflow || output_send(http1_connection(exchange), text_bytes(&out));
}

static bool send_head(struct exchange *exchange, const struct http_message *response, const void *head) {
    struct http1_exchange *http1 = http1_of_exchange(exchange);
    const struct http_message *request = &exchange->request;
    const struct http_stamp ours = exchange_stamp(exchange);
    struct text out = exchange_head_memory(exchange);

    http1->framing = http_response_framing(response, request->minor, request->head_request);
    http1->keep_alive = !exchange->is_tunnel && http1_is_worth_keeping(http1);
    http_write_response(&out, response, head, http1->framing, request->minor, http1->keep_alive, request->head_request,
                        &ours);
    if (out.overflow) {
        return false;
    }
    if (exchange->is_tunnel) {
        connection_enter(http1_connection(exchange), &http1_tunnelling);
        http1_tunnel_begin(http1_connection(exchange));
    }
    output_send(http1_connection(exchange), text_bytes(&out));
    return true;
}

static bool send_body(struct exchange *exchange, struct bytes piece) {
    struct connection *connection = http1_connection(exchange);

    if (http1_of_exchange(exchange)->framing != HTTP_CHUNKED) {
        return output_send(connection, piece);
    }
    char line[HTTP_CHUNK_LINE_MAX];
    size_t size = http_chunk_line(line, piece.size);
    return output_send(connection, bytes_of(line, size)) && output_send(connection, piece) &&
           output_send(connection, bytes_of_string(HTTP_CHUNK_END));
}

static void send_end(struct exchange *exchange, struct bytes trailers) {
    struct http1_exchange *http1 = http1_of_exchange(exchange);

    if (http1->framing == HTTP_CHUNKED) {
        struct text out = exchange_head_memory(exchange);

        text_append_string(&out, HTTP_TRAILERS_BEGIN);
        http_write_trailers(&out, trailers, (struct bytes){0},
                            &(struct http_forwarding){.removals = exchange->site->config->removals,
                                                      .strip = exchange->host->answer_rules.removals});
        text_append_string(&out, HTTP_CHUNK_END);
        if (!output_send(http1_connection(exchange), text_bytes(&out))) {
            return;
        }
    }
    http1_finish_answer(http1);
}

/* TLS has a last word of its own. A FIN behind it would leave no way to answer what the client's TLS may still ask. */
static void send_half_end(struct exchange *exchange) {
    struct connection *connection = http1_connection(exchange);

    if (output_finish(connection, true)) {
        tls_session_shutdown(connection->client.tls);
    }
}

static void send_reply(struct exchange *exchange, struct http_reply *reply) {
    struct http1_exchange *http1 = http1_of_exchange(exchange);
    struct text out = exchange_head_memory(exchange);

    http1->framing = HTTP_LENGTH;
    http1->keep_alive = reply->keep_alive = http1_is_worth_keeping(http1);
    http_write_reply(&out, reply);
    CHECK(!out.overflow); /* bodies are at most 64 KiB */
    if (output_send(http1_connection(exchange), text_bytes(&out))) {
        http1_finish_answer(http1);
    }
}

static void invite_body(struct exchange *exchange) {
    if (exchange->request.expect_continue && exchange->request.minor > 0) {
        output_send(http1_connection(exchange), bytes_of_string("HTTP/1.1 100 Continue\r\n\r\n"));
    }
}

static void reset(struct exchange *exchange, enum exchange_reset how) {
    connection_end(http1_connection(exchange), how == EXCHANGE_CUT_SHORT ? CONNECTION_TRUNCATED : CONNECTION_ABRUPTLY);
}

static size_t room(const struct exchange *exchange) {
    return stream_room(http1_connection(exchange)->stream);
}

/* Goes on after an event from the origin's side, or when there is room: with a request that was held, or with more input. */
static void read_more(void *owner) {
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
        http1_part(connection);
    }
    connection_arm(connection);
}

const struct exchange_carrier http1_carrier = {
    .send_interim = send_interim,
    .send_head = send_head,
    .send_body = send_body,
    .send_end = send_end,
    .send_half_end = send_half_end,
    .send_reply = send_reply,
    .invite_body = invite_body,
    .reset = reset,
    .room = room,
    .read_more = read_more,
};
