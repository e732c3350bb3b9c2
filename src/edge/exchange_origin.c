#include "edge/exchange_origin.h"

#include "edge/exchange_reply.h"
#include "edge/exchange_tunnel.h"
#include "edge/naming.h"
#include "edge/passage.h"
#include "edge/preface.h"
#include "http/grpc.h"
#include "http/persistence.h"

static struct shard *shard_of(const struct exchange *exchange) {
    return exchange->client->shard;
}

/* Has the origin wait when the client does not take what was sent. */
static void hold_back(struct exchange *exchange) {
    if (!exchange->paused && exchange->carrier->room(exchange) == 0) {
        exchange->paused = true;
        relay_exchange_pause(exchange->relay);
    }
}

static void on_interim(void *owner, const struct http_message *response, const void *head) {
    struct exchange *exchange = owner;

    if (exchange->carrier->send_interim(exchange, response, head)) {
        hold_back(exchange);
    }
}

/* Answers instead of an origin whose head is not passed on. */
static void answer_for_origin(struct exchange *exchange, enum relay_fault fault) {
    const struct exchange_carrier *carrier = exchange->carrier;
    void *carrier_owner = exchange->owner;

    exchange->code = 0;
    exchange->origin_fault = fault;
    relay_exchange_refuse(exchange->relay, fault);
    exchange->relay = NULL;
    exchange_reply_status(exchange, 502);
    carrier->read_more(carrier_owner);
}

static void on_switch(struct exchange *exchange, const struct http_message *response, const void *head) {
    const struct exchange_carrier *carrier = exchange->carrier;
    void *carrier_owner = exchange->owner;

    if (!exchange_tunnel_is_offered(exchange, response, head)) {
        answer_for_origin(exchange, RELAY_FAULT_UPGRADE);
        return;
    }
    exchange_tunnel_open(exchange, http_upgrade_names(response, head, "websocket"));
    if (carrier->send_head(exchange, response, head)) {
        carrier->read_more(carrier_owner);
        return;
    }
    exchange_tunnel_close(exchange);
    exchange->is_tunnel = exchange->has_clock = false;
    exchange->request_done = true;
    answer_for_origin(exchange, RELAY_FAULT_TOO_LARGE);
}

static void on_head(void *owner, const struct http_message *response, const void *head) {
    struct exchange *exchange = owner;
    struct shard *shard = shard_of(exchange);

    exchange->origin_ns = shard->ring.now_ns - exchange->relayed_ns;
    stats_time_of_host(shard->stats, &exchange_host_stats(exchange)->origin_seconds, STATS_ORIGIN, exchange->origin_ns);
    exchange->code = response->status;
    exchange->grpc_open = exchange->grpc && response->framing == HTTP_CHUNKED && http_grpc_is(response, head);
    if (response->status == HTTP_STATUS_SWITCHING) {
        on_switch(exchange, response, head);
    } else if (exchange->is_connect && response->status >= 200 && response->status < 300) {
        answer_for_origin(exchange, RELAY_FAULT_UPGRADE); /* 2xx would tell the client that the tunnel is open */
    } else if (!exchange->carrier->send_head(exchange, response, head)) {
        answer_for_origin(exchange, RELAY_FAULT_TOO_LARGE);
    }
}

static void on_body(void *owner, struct bytes piece) {
    struct exchange *exchange = owner;

    exchange->body_out += piece.size;
    if (exchange->has_clock) {
        tunnel_pass_to_client(&exchange->tunnel, piece);
    }
    if (exchange->carrier->send_body(exchange, piece)) {
        hold_back(exchange);
    }
}

static size_t room_for_body(void *owner) {
    struct exchange *exchange = owner;

    return exchange->carrier->room(exchange);
}

static void on_end(void *owner, struct bytes trailers) {
    struct exchange *exchange = owner;
    const struct exchange_carrier *carrier = exchange->carrier;
    void *carrier_owner = exchange->owner;

    exchange->relay = NULL;
    exchange_stop_clock(exchange);
    carrier->send_end(exchange, trailers);
    carrier->read_more(carrier_owner);
}

static void on_relay_failed(void *owner, enum relay_error error, enum relay_fault fault) {
    struct exchange *exchange = owner;

    exchange->relay = NULL;
    exchange->origin_fault = fault;
    exchange_stop_clock(exchange);
    exchange_break_off(exchange, error == RELAY_TIMEOUT ? 504 : error == RELAY_BUSY ? 503 : 502);
}

static void on_half_end(void *owner) {
    exchange_tunnel_end_origin(owner);
}

static void on_relay_drained(void *owner) {
    struct exchange *exchange = owner;

    if (exchange->has_clock) {
        tunnel_pass(&exchange->tunnel);
    }
    exchange->carrier->read_more(exchange->owner);
}

static size_t on_preface(void *owner, uint8_t out[static RELAY_PREFACE_MAX]) {
    return preface_write(((struct exchange *)owner)->client, out);
}

static const struct relay_handler relay_handler = {
    .preface = on_preface,
    .interim = on_interim,
    .head = on_head,
    .body = on_body,
    .room = room_for_body,
    .end = on_end,
    .half_end = on_half_end,
    .failed = on_relay_failed,
    .drained = on_relay_drained,
};

/* Returns the head for the origin, written to the shard's scratch memory. */
static struct text write_head(struct exchange *exchange, struct bytes head) {
    const struct client *client = exchange->client;
    struct scratch *scratch = &client->shard->scratch;
    struct text connection_fields = text_over(scratch->fields, sizeof scratch->fields);
    struct text out = text_over(scratch->head, sizeof scratch->head);

    if (exchange->identity->marked_headers.size > 0) {
        const struct forward_connection facts = client_facts(client);

        forward_complete(exchange->identity->marked_headers, &facts, &connection_fields);
    }

    struct http_forwarding forwarding = {
        .removals = exchange->site->config->removals,
        .strip = exchange->host->strip,
        .constant = exchange->host->request_lines,
        .client_address = bytes_of_string(client->address),
        .host_name = naming_for_origin(client, exchange->host),
        .request_id = naming_id(&exchange->note),
        .identity = exchange->identity->headers,
        .connection = text_bytes(&connection_fields),
        .upgrade = bytes_of(exchange->upgrade, exchange->upgrade_size),
        .websocket_key = exchange_websocket_key(exchange),
    };

    http_write_request(&out, &exchange->request, head.data, &forwarding);
    out.overflow = out.overflow || connection_fields.overflow;
    return out;
}

void exchange_relay(struct exchange *exchange, struct bytes head) {
    struct client *client = exchange->client;
    bool only_http2 = exchange->stream_id != 0 && exchange->host->origin_http2;

    exchange->room = passage_begin(client->shard, &exchange->request, head);
    exchange->unannounced = only_http2 && exchange->request.framing == HTTP_CHUNKED;
    /* Calls last as long as both sides like, silent or not, and clients have deadlines of their own for them. */
    exchange->conversation = exchange->grpc && only_http2;
    exchange_tunnel_offer(exchange, head);
    if (exchange->is_connect && exchange->upgrade_size == 0) {
        /* RFC 9220 section 3 says so of protocols that are not known. */
        exchange_reject(exchange, STATS_REJECT_NOT_IMPLEMENTED, 501);
        return;
    }

    struct text out = write_head(exchange, head);
    struct relay_request request = {
        .host = exchange->host,
        .head = text_bytes(&out),
        .framing = exchange->request.framing,
        .to_head = exchange->request.head_request,
        .idempotent = exchange->request.idempotent || exchange->is_connect, /* which is a GET to the origin */
        .signs_in = http_request_signs_in(&exchange->request, head.data),
        .last = http_content_may_be_left(&exchange->request),
        .trailers = exchange->request.trailers_wanted,
        .put_off = exchange->carrier->many,
        .patient = exchange->conversation,
        .upgrades = exchange->upgrade_size > 0,
        .client = exchange->carrier->many ? NULL : &client->origin,
        .client_hash = exchange->host->balance == CONFIG_HASH ? client_hash(client, exchange->identity) : 0,
        .tries = &exchange->tries,
    };

    if (out.overflow) {
        exchange_reject(exchange, STATS_REJECT_TOO_LARGE, 431);
        return;
    }
    exchange->relayed_ns = client->shard->ring.now_ns;
    exchange->relay =
        relay_exchange_start(exchange->site->relay, &request, &relay_handler, exchange, &exchange->origin_fault);
    if (exchange->relay == NULL) {
        exchange_reply_status(exchange, exchange->origin_fault == RELAY_FAULT_BUSY ? 503 : 502);
        return;
    }
    exchange->origin_fault = RELAY_FAULT_NONE;
    if (exchange->conversation) {
        exchange_watch_conversation(exchange);
    }
    if (exchange->request_done) {
        relay_exchange_body_end(exchange->relay);
    } else {
        exchange->carrier->invite_body(exchange);
    }
}
