#include "edge/exchange.h"

#include "base/check.h"
#include "base/clock.h"
#include "config/methods.h"
#include "edge/answer_rules.h"
#include "edge/decision.h"
#include "edge/naming.h"
#include "edge/passage.h"
#include "edge/preface.h"
#include "edge/site_switch.h"
#include "edge/verdict.h"
#include "http/accept.h"
#include "http/grpc.h"
#include "http/persistence.h"

#include <string.h>

static const struct relay_handler relay_handler;

/* Takes references to what the client's site, host and identity are now. */
static void refer_to_client(struct exchange *exchange) {
    struct client *client = exchange->client;

    if (exchange->site != client->site) {
        struct site *before = exchange->site;

        exchange->site = site_retain(client->site);
        if (before != NULL) {
            site_release(before);
        }
    }
    exchange->host = client->host;
    if (exchange->identity != client->verdict.identity) {
        identity_release(exchange->identity);
        exchange->identity = identity_retain(client->verdict.identity);
    }
}

void exchange_init(struct exchange *exchange, const struct exchange_carrier *carrier, void *owner, struct client *client) {
    memset(exchange, 0, offsetof(struct exchange, request));
    exchange->carrier = carrier;
    exchange->owner = owner;
    exchange->client = client;
    refer_to_client(exchange);
    exchange->request.headers = exchange->headers;
    exchange->request.headers_max = HTTP_HEADERS_MAX;
    journal_note_clear(&exchange->note);
}

static struct shard *shard_of(const struct exchange *exchange) {
    return exchange->client->shard;
}

static void count_rejection(const struct exchange *exchange, enum stats_stage stage, enum stats_rejection why) {
    stats_add(&shard_of(exchange)->stats->rejected[stage][why], 1);
}

struct http_stamp exchange_stamp(const struct exchange *exchange) {
    struct http_stamp stamp = naming_stamp(shard_of(exchange), &exchange->note);

    answer_rules_apply(exchange->client, exchange->host, exchange->identity, &stamp);
    return stamp;
}

/* Returns an empty text in the shard's memory for header lines, which end_fields completes. */
static struct text field_memory(const struct exchange *exchange) {
    return text_over(shard_of(exchange)->scratch.fields, SHARD_FIELDS_SIZE - 1);
}

static const char *end_fields(struct text *fields) {
    CHECK(!fields->overflow);
    fields->data[fields->size] = '\0';
    return fields->data;
}

/* A client of gRPC takes the outcome from trailers: 200 is for HTTP alone, and does not count as the answer's code. */
static void reply_to_call(struct exchange *exchange, struct http_reply *answer) {
    struct text fields = field_memory(exchange);

    http_grpc_write(&fields, answer->status);
    answer->status = 200;
    answer->content_type = HTTP_GRPC_TYPE;
    answer->fields = end_fields(&fields);
    answer->body = (struct bytes){0};
    exchange->body_out = 0;
    exchange->carrier->send_reply(exchange, answer);
}

/* Sends an answer of our own; `fields` may be NULL. The exchange may be gone when this returns. */
static void reply(struct exchange *exchange, unsigned status, const char *content_type, const char *fields,
                  struct bytes body) {
    /* A misdirected request is for another host than the one whose rules are known. */
    struct http_reply answer = {
        .status = status,
        .content_type = content_type,
        .stamp = status == 421 ? naming_stamp(shard_of(exchange), &exchange->note) : exchange_stamp(exchange),
        .fields = fields,
        .body = body,
        .to_head = exchange->request.head_request,
    };

    exchange->code = status;
    exchange->body_out = answer.to_head ? 0 : body.size;
    if (exchange->grpc) {
        reply_to_call(exchange, &answer);
        return;
    }
    exchange->carrier->send_reply(exchange, &answer);
}

static void reply_status_with(struct exchange *exchange, unsigned status, const char *fields) {
    reply(exchange, status, "text/plain; charset=utf-8", fields, bytes_of_string(http_status_text(status)));
}

static void reply_status(struct exchange *exchange, unsigned status) {
    reply_status_with(exchange, status, NULL);
}

/* 503 is for a moment (RFC 9110 section 15.6.4): for what may be sent a second later. */
static void reply_unserved(struct exchange *exchange, unsigned status) {
    reply_status_with(exchange, status, status == 503 ? "Retry-After: 1\r\n" : NULL);
}

/* With the methods that the host takes (RFC 9110 sections 10.2.1 and 15.5.6). */
static void reply_allowed(struct exchange *exchange, unsigned status) {
    struct text fields = field_memory(exchange);

    text_append_string(&fields, "Allow: ");
    text_append_string(&fields, methods_allowed(exchange->host));
    text_append_string(&fields, "\r\n");
    reply_status_with(exchange, status, end_fields(&fields));
}

static void deny(struct exchange *exchange, struct bytes head) {
    const struct config_host *host = exchange->host;
    const struct shard *shard = shard_of(exchange);

    decision_count_denied(shard_of(exchange), exchange->site, host, exchange->identity);
    exchange->dismissed = exchange->client->verdict.lost || places_are_crowded(&shard->places, shard->connections_max);
    if (http_prefers_html(&exchange->request, head.data)) {
        reply(exchange, 403, "text/html; charset=utf-8", NULL, host->deny_html);
    } else {
        reply(exchange, 403, "application/json", NULL, host->deny_json);
    }
}

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

static void relay(struct exchange *exchange, struct bytes head) {
    struct client *client = exchange->client;

    bool only_http2 = exchange->stream_id != 0 && exchange->host->origin_http2;

    exchange->room = passage_begin(client->shard, &exchange->request, head);
    exchange->unannounced = only_http2 && exchange->request.framing == HTTP_CHUNKED;
    /* Calls last as long as both sides like, silent or not, and clients have deadlines of their own for them. */
    exchange->conversation = exchange->grpc && only_http2;
    exchange_tunnel_offer(exchange, head);
    if (exchange->is_connect && exchange->upgrade_size == 0) {
        count_rejection(exchange, STATS_AT_REQUEST, STATS_REJECT_NOT_IMPLEMENTED);
        reply_status(exchange, 501); /* RFC 9220 section 3 says so of protocols that are not known */
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
        count_rejection(exchange, STATS_AT_REQUEST, STATS_REJECT_TOO_LARGE);
        reply_status(exchange, 431);
        return;
    }
    exchange->relayed_ns = client->shard->ring.now_ns;
    exchange->relay =
        relay_exchange_start(exchange->site->relay, &request, &relay_handler, exchange, &exchange->origin_fault);
    if (exchange->relay == NULL) {
        reply_unserved(exchange, exchange->origin_fault == RELAY_FAULT_BUSY ? 503 : 502);
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

/* Answers a request whose method asks for no more than that. True: it has, and the exchange may be gone. */
static bool answers_by_method(struct exchange *exchange, struct bytes head) {
    const struct http_message *request = &exchange->request;

    struct bytes method = exchange->is_connect ? bytes_of_string("GET") : http_view(head.data, request->method);

    if (!methods_take(exchange->host, method)) {
        count_rejection(exchange, STATS_AT_REQUEST, STATS_REJECT_METHOD);
        reply_allowed(exchange, 405);
        return true;
    }
    if (request->method_kind != HTTP_METHOD_OPTIONS) {
        return false;
    }
    uint32_t left;
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

/* Decides by what the client has shown, and by the host's policy as of now. */
static void decide(struct exchange *exchange, struct bytes head) {
    if (verdict_now(exchange->client) == NULL) {
        reply_status(exchange, 500);
        return;
    }
    refer_to_client(exchange);
    if (decision_denies(exchange->host, exchange->identity)) {
        deny(exchange, head);
    } else if (!answers_by_method(exchange, head)) {
        decision_count_let_in(shard_of(exchange), exchange->site, exchange->host, exchange->identity);
        relay(exchange, head);
    }
}

void exchange_begin(struct exchange *exchange, struct bytes head) {
    struct client *client = exchange->client;
    const struct http_message *request = &exchange->request;

    exchange->started_ns = client->shard->ring.now_ns;
    naming_identify(client->shard, &exchange->note, request, head);
    if (journal_is_on(&client->shard->journal)) {
        journal_note_request(&exchange->note, request, head);
    }
    exchange->grpc = exchange->stream_id != 0 && http_grpc_is(request, head.data);
    exchange->is_connect = request->protocol.size > 0;
    if (exchange->is_connect) {
        exchange->request.framing = HTTP_NO_BODY;
    }
    exchange->request_done =
        request->framing == HTTP_NO_BODY || (request->framing == HTTP_LENGTH && request->content_length == 0);
    /* A reload since the last request counts for this one. */
    bool has_host = site_switch(client);
    refer_to_client(exchange);
    if (!has_host || !naming_is_ours(exchange->site->config, exchange->host, request, head)) {
        count_rejection(exchange, STATS_AT_REQUEST, STATS_REJECT_MISDIRECTED);
        reply_status(exchange, 421);
        return;
    }
    decide(exchange, head);
}

void exchange_refuse(struct exchange *exchange, unsigned status) {
    struct shard *shard = shard_of(exchange);

    count_rejection(exchange, STATS_AT_REQUEST, stats_rejection_of_status(status));
    if (exchange->code != 0) {
        /* Only the end of what carries the answer can tell the client. */
        exchange->carrier->reset(exchange, status == 408 ? EXCHANGE_GIVEN_UP : EXCHANGE_CUT_SHORT);
        return;
    }
    if (exchange->started_ns == 0) {
        exchange->started_ns = shard->ring.now_ns;
        naming_identify(shard, &exchange->note, NULL, (struct bytes){0});
    }
    if (exchange->relay != NULL) {
        relay_exchange_abort(exchange->relay);
        exchange->relay = NULL;
    }
    reply_status(exchange, status);
}

bool exchange_body(struct exchange *exchange, struct bytes piece) {
    exchange->body_in += piece.size;
    if (exchange->has_clock) {
        tunnel_pass(&exchange->tunnel);
    }
    if (exchange->relay == NULL) {
        return false;
    }
    relay_exchange_body(exchange->relay, piece);
    return true;
}

void exchange_body_end(struct exchange *exchange, struct bytes trailers) {
    exchange->request_done = true;
    if (exchange->is_tunnel) {
        exchange_tunnel_end_client(exchange);
    } else if (exchange->relay != NULL) {
        const struct http_forwarding forwarding = {.removals = exchange->site->config->removals,
                                                   .strip = exchange->host->strip};

        relay_exchange_body_end_with(exchange->relay,
                                     exchange->unannounced
                                         ? passage_all_trailers(shard_of(exchange), trailers, &forwarding)
                                         : passage_trailers(shard_of(exchange), exchange->room, trailers, &forwarding));
    }
}

void exchange_doubt(struct exchange *exchange) {
    if (exchange->relay != NULL) {
        relay_exchange_doubt(exchange->relay);
    }
}

uint8_t *exchange_trailers_memory(const struct exchange *exchange) {
    return exchange->room == NULL ? NULL : exchange->room->section;
}

bool exchange_wants_body(const struct exchange *exchange) {
    if (exchange->is_connect && !exchange->is_tunnel && exchange->relay != NULL) {
        return false;
    }
    return exchange->request_done || exchange->relay == NULL || exchange_room(exchange) > 0;
}

void exchange_drained(struct exchange *exchange) {
    if (exchange->has_clock) {
        tunnel_pass(&exchange->tunnel);
    }
    if (exchange->paused && exchange->relay != NULL && exchange->carrier->room(exchange) > 0) {
        exchange->paused = false;
        relay_exchange_resume(exchange->relay);
    }
}

size_t exchange_room(const struct exchange *exchange) {
    return exchange->relay == NULL ? 0 : relay_exchange_room(exchange->relay);
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
    reply_status(exchange, 502);
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

void exchange_break_off(struct exchange *exchange, unsigned status) {
    const struct exchange_carrier *carrier = exchange->carrier;
    void *carrier_owner = exchange->owner;

    exchange_stop_clock(exchange);
    if (exchange->relay != NULL) {
        relay_exchange_abort(exchange->relay);
        exchange->relay = NULL;
    }
    if (exchange->grpc_open) {
        struct text trailers = field_memory(exchange);

        http_grpc_write(&trailers, status);
        CHECK(!trailers.overflow);
        carrier->send_end(exchange, text_bytes(&trailers));
    } else if (exchange->code != 0) {
        carrier->reset(exchange, EXCHANGE_CUT_SHORT);
        return;
    } else {
        reply_unserved(exchange, status);
    }
    carrier->read_more(carrier_owner);
}

static void on_relay_failed(void *owner, enum relay_error error, enum relay_fault fault) {
    struct exchange *exchange = owner;

    exchange->relay = NULL;
    exchange->origin_fault = fault;
    exchange_break_off(exchange, error == RELAY_TIMEOUT ? 504 : error == RELAY_BUSY ? 503 : 502);
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
    .half_end = exchange_tunnel_end_origin,
    .failed = on_relay_failed,
    .drained = on_relay_drained,
};
