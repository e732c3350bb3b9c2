#include "edge/exchange.h"

#include "config/methods.h"
#include "edge/decision.h"
#include "edge/exchange_origin.h"
#include "edge/exchange_reply.h"
#include "edge/exchange_tunnel.h"
#include "edge/naming.h"
#include "edge/passage.h"
#include "edge/site_switch.h"
#include "edge/verdict.h"
#include "http/grpc.h"

#include <string.h>

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

static void deny(struct exchange *exchange, struct bytes head) {
    struct shard *shard = shard_of(exchange);

    decision_count_denied(shard, exchange->site, exchange->host, exchange->identity);
    exchange->dismissed = exchange->client->verdict.lost || places_are_crowded(&shard->places, shard->connections_max);
    exchange_reply_denied(exchange, head);
}

/* Answers a request whose method asks for no more than that. True: it has, and the exchange may be gone. */
static bool answers_by_method(struct exchange *exchange, struct bytes head) {
    const struct http_message *request = &exchange->request;

    struct bytes method = exchange->is_connect ? bytes_of_string("GET") : http_view(head.data, request->method);

    if (!methods_take(exchange->host, method)) {
        exchange_count_rejection(exchange, STATS_REJECT_METHOD);
        exchange_reply_allowed(exchange, 405);
        return true;
    }
    if (request->method_kind != HTTP_METHOD_OPTIONS) {
        return false;
    }
    uint32_t left;
    switch (http_max_forwards(request, head.data, &left)) {
    case HTTP_HOPS_UNREADABLE:
        exchange_reject(exchange, STATS_REJECT_MALFORMED, 400);
        return true;
    case HTTP_HOPS_LEFT:
        if (left == 0) {
            exchange_reply_allowed(exchange, 200);
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
        exchange_reply_status(exchange, 500);
        return;
    }
    refer_to_client(exchange);
    if (decision_denies(exchange->host, exchange->identity)) {
        deny(exchange, head);
    } else if (!answers_by_method(exchange, head)) {
        decision_count_let_in(shard_of(exchange), exchange->site, exchange->host, exchange->identity);
        exchange_relay(exchange, head);
    }
}

/* Returns whether the request is a call of gRPC, as far as its head is known. */
static bool is_call(const struct exchange *exchange, struct bytes head) {
    return exchange->stream_id != 0 && head.size > 0 && http_grpc_is(&exchange->request, head.data);
}

void exchange_begin(struct exchange *exchange, struct bytes head) {
    struct client *client = exchange->client;
    const struct http_message *request = &exchange->request;

    exchange->started_ns = client->shard->ring.now_ns;
    naming_identify(client->shard, &exchange->note, request, head);
    if (journal_is_on(&client->shard->journal)) {
        journal_note_request(&exchange->note, request, head);
    }
    exchange->grpc = is_call(exchange, head);
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
        exchange_reject(exchange, STATS_REJECT_MISDIRECTED, 421);
        return;
    }
    decide(exchange, head);
}

void exchange_refuse(struct exchange *exchange, struct bytes head, unsigned status) {
    struct shard *shard = shard_of(exchange);

    exchange_count_rejection(exchange, stats_rejection_of_status(status));
    if (exchange->code != 0) {
        /* Only the end of what carries the answer can tell the client. */
        exchange->carrier->reset(exchange, status == 408 ? EXCHANGE_GIVEN_UP : EXCHANGE_CUT_SHORT);
        return;
    }
    if (exchange->started_ns == 0) {
        exchange->started_ns = shard->ring.now_ns;
        naming_identify(shard, &exchange->note, NULL, (struct bytes){0});
        exchange->grpc = is_call(exchange, head);
    }
    if (exchange->relay != NULL) {
        relay_exchange_abort(exchange->relay);
        exchange->relay = NULL;
    }
    exchange_reply_status(exchange, status);
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
