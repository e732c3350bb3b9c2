#include "edge/exchange_reply.h"

#include "base/check.h"
#include "config/methods.h"
#include "edge/answer_rules.h"
#include "edge/naming.h"
#include "http/accept.h"
#include "http/grpc.h"

static struct shard *shard_of(const struct exchange *exchange) {
    return exchange->client->shard;
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

static void reply_text(struct exchange *exchange, unsigned status, const char *fields) {
    reply(exchange, status, "text/plain; charset=utf-8", fields, bytes_of_string(http_status_text(status)));
}

void exchange_reply_status(struct exchange *exchange, unsigned status) {
    reply_text(exchange, status, status == 503 ? "Retry-After: 1\r\n" : NULL);
}

void exchange_reply_allowed(struct exchange *exchange, unsigned status) {
    struct text fields = field_memory(exchange);

    text_append_string(&fields, "Allow: ");
    text_append_string(&fields, methods_allowed(exchange->host));
    text_append_string(&fields, "\r\n");
    reply_text(exchange, status, end_fields(&fields));
}

void exchange_reply_denied(struct exchange *exchange, struct bytes head) {
    if (http_prefers_html(&exchange->request, head.data)) {
        reply(exchange, 403, "text/html; charset=utf-8", NULL, exchange->host->deny_html);
    } else {
        reply(exchange, 403, "application/json", NULL, exchange->host->deny_json);
    }
}

void exchange_count_rejection(const struct exchange *exchange, enum stats_rejection why) {
    stats_add(&shard_of(exchange)->stats->rejected[STATS_AT_REQUEST][why], 1);
}

void exchange_reject(struct exchange *exchange, enum stats_rejection why, unsigned status) {
    exchange_count_rejection(exchange, why);
    exchange_reply_status(exchange, status);
}

void exchange_break_off(struct exchange *exchange, unsigned status) {
    const struct exchange_carrier *carrier = exchange->carrier;
    void *carrier_owner = exchange->owner;

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
        exchange_reply_status(exchange, status);
    }
    carrier->read_more(carrier_owner);
}
