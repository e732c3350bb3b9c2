#include "edge/exchange_tunnel.h"

#include "edge/exchange_reply.h"

/* Returns whether the origin needs a key that the client does not have. */
static bool is_websocket(const struct exchange *exchange) {
    return exchange->is_connect &&
           bytes_equal_ignoring_case(bytes_of(exchange->upgrade, exchange->upgrade_size), bytes_of_string("websocket"));
}

struct bytes exchange_websocket_key(const struct exchange *exchange) {
    return bytes_of(exchange->websocket_key, is_websocket(exchange) ? sizeof exchange->websocket_key : 0);
}

void exchange_tunnel_offer(struct exchange *exchange, struct bytes head) {
    struct text offer = text_over(exchange->upgrade, sizeof exchange->upgrade);

    if (!exchange->host->origin_http2) { /* which has no 101 (RFC 9113 section 8.6) */
        http_upgrade_offer(&offer, &exchange->request, head.data);
    }
    exchange->upgrade_size = (uint8_t)offer.size;
    if (offer.size > 0) {
        exchange->request.trailers_wanted = false;
    }
    if (is_websocket(exchange)) {
        websocket_key_make(&exchange->client->shard->random, exchange->websocket_key);
    }
}

bool exchange_tunnel_is_offered(const struct exchange *exchange, const struct http_message *response, const void *head) {
    return http_upgrade_is_of(response, head, bytes_of(exchange->upgrade, exchange->upgrade_size)) &&
           (!is_websocket(exchange) || websocket_key_is_accepted(exchange->websocket_key, response, head));
}

void exchange_tunnel_close(struct exchange *exchange) {
    tunnel_close(&exchange->tunnel);
    stats_subtract(&exchange_host_stats(exchange)->tunnels, 1);
    stats_add(&exchange_host_stats(exchange)->tunnel_ends[exchange->tunnel.why], 1);
}

/* Both halves have ended. */
static void part(struct exchange *exchange) {
    if (!relay_exchange_part(exchange->relay)) {
        return; /* the origin is lost: the relay is about to say so */
    }
    exchange->relay = NULL;
    exchange->carrier->send_end(exchange, (struct bytes){0});
}

void exchange_tunnel_end_client(struct exchange *exchange) {
    tunnel_end_half(&exchange->tunnel, &exchange->tunnel.client_ended);
    relay_exchange_body_end(exchange->relay);
    if (exchange->tunnel.origin_ended) {
        part(exchange);
    }
}

void exchange_tunnel_end_origin(struct exchange *exchange) {
    tunnel_end_half(&exchange->tunnel, &exchange->tunnel.origin_ended);
    if (exchange->tunnel.client_ended) {
        part(exchange);
    } else {
        exchange->carrier->send_half_end(exchange);
    }
}

void exchange_end_tunnel(struct exchange *exchange, enum stats_tunnel_end why) {
    uint8_t frame[WEBSOCKET_CLOSE_SIZE];

    if (!exchange->is_tunnel) {
        exchange_stop_clock(exchange);
        exchange_break_off(exchange, why == STATS_TUNNEL_VERDICT ? 403 : 503);
        return;
    }
    struct bytes last_word = bytes_of(frame, tunnel_last_word(&exchange->tunnel, why, frame));
    exchange->tunnel.why = why;
    if (last_word.size == 0 && !exchange->tunnel.origin_ended) {
        exchange->carrier->reset(exchange, EXCHANGE_CUT_SHORT);
        return;
    }
    exchange->body_out += last_word.size;
    if (last_word.size == 0 || exchange->carrier->send_body(exchange, last_word)) {
        exchange->carrier->send_end(exchange, (struct bytes){0});
    }
}

void exchange_switch_tunnel(struct exchange *exchange, bool has_host) {
    if (has_host) {
        tunnel_judge_soon(&exchange->tunnel);
    } else {
        exchange_end_tunnel(exchange, STATS_TUNNEL_VERDICT);
    }
}

static void on_tunnel_over(struct tunnel *tunnel, enum stats_tunnel_end why) {
    exchange_end_tunnel(CONTAINER_OF(tunnel, struct exchange, tunnel), why);
}

static void start_clock(struct exchange *exchange, bool is_websocket) {
    exchange->has_clock = true;
    tunnel_open(&exchange->tunnel, exchange->client, exchange->identity, is_websocket, on_tunnel_over);
}

void exchange_tunnel_open(struct exchange *exchange, bool is_websocket) {
    exchange->is_tunnel = true;
    exchange->request_done = false;
    stats_add(&exchange_host_stats(exchange)->tunnels, 1);
    start_clock(exchange, is_websocket);
}

void exchange_watch_conversation(struct exchange *exchange) {
    start_clock(exchange, false);
}

void exchange_stop_clock(struct exchange *exchange) {
    if (exchange->has_clock && !exchange->is_tunnel) {
        exchange->has_clock = false;
        tunnel_close(&exchange->tunnel);
    }
}
