#include "relay/response.h"

#include "base/check.h"
#include "http/persistence.h"
#include "http/trailers.h"
#include "http/upgrade.h"
#include "relay/tunnel.h"

enum { STATUS_CONTINUE = 100, STATUS_FINAL = 200 };

void response_begin(struct relay_exchange *exchange) {
    const struct config_limits *limits = &exchange->relay->config->limits;

    CHECK(limits->response_headers >= 1 && limits->response_headers <= RELAY_RESPONSE_HEADERS_MAX);
    exchange->message.headers = (struct http_header *)(void *)(exchange->buffer + EXCHANGE_BUFFER_SIZE);
    exchange->message.headers_max = limits->response_headers;
    http_parser_init_response(&exchange->parser, &exchange->message, RELAY_RESPONSE_HEAD_MAX, exchange->to_head);
    exchange->parser.takes_switch = exchange->upgrades;
    exchange->gather = (struct http_gather){0};
}

static enum response_outcome refuse(struct relay_exchange *exchange, enum relay_fault fault, const char *detail) {
    exchange->fault = fault;
    exchange->detail = detail;
    return RESPONSE_BAD;
}

static enum response_outcome refuse_parsed(struct relay_exchange *exchange) {
    return refuse(exchange, relay_fault_of_response(exchange->parser.fault), exchange->parser.error);
}

/* An informational response is complete with its head. RESPONSE_MORE: the next message may be read. */
static enum response_outcome pass_interim(struct relay_exchange *exchange, struct bytes *input, const uint8_t *head) {
    /* Where even this message is of doubtful length, what follows the final one must not be read as an answer. */
    exchange->last = exchange->last || !exchange->message.keep_alive || exchange->message.end_in_doubt;
    if (++exchange->interim > RELAY_INTERIM_MAX) {
        return refuse(exchange, RELAY_FAULT_TOO_MANY_INTERIM, "more informational responses than anybody needs");
    }
    if (exchange->message.status != STATUS_CONTINUE && exchange->handler->interim != NULL) {
        exchange->handler->interim(exchange->owner, &exchange->message, head);
        if (exchange->state != EXCHANGE_HEAD) {
            return RESPONSE_STOPPED;
        }
    }
    struct bytes piece;
    CHECK(http_parser_body(&exchange->parser, input, &piece) == HTTP_PARSE_END);
    response_begin(exchange);
    return RESPONSE_MORE;
}

static bool keeps_trailers(const struct relay_exchange *exchange) {
    return exchange->trailers && exchange->message.framing == HTTP_CHUNKED;
}

/* Connection names fields for the trailers too, whose names are known when the head is gone. */
static void keep_names(struct relay_exchange *exchange, const uint8_t *head) {
    struct text names = text_over((char *)exchange->buffer + EXCHANGE_NAMES_AT, RELAY_RESPONSE_HEAD_MAX);

    http_gather_connection_names(&names, &exchange->message, head);
    CHECK(!names.overflow);
    exchange->names_size = (uint32_t)names.size;
}

struct bytes response_trailers(struct relay_exchange *exchange) {
    struct bytes section = keeps_trailers(exchange) ? http_parser_trailers(&exchange->parser) : (struct bytes){0};

    if (section.size > 0) {
        section.size = http_trailers_drop(exchange->buffer, section.size,
                                          bytes_of(exchange->buffer + EXCHANGE_NAMES_AT, exchange->names_size));
    }
    return section;
}

/* The buffer is free, unless trailers are to be kept in it. */
static void settle_buffer(struct relay_exchange *exchange) {
    if (keeps_trailers(exchange)) {
        exchange->parser.trailers = exchange->buffer;
        return;
    }
    slab_give(&exchange->relay->buffers, exchange->buffer);
    exchange->buffer = NULL;
}

/* The origin goes on in another protocol. The connection is not HTTP's any more, and never gets into a pool again. */
static enum response_outcome begin_tunnel(struct relay_exchange *exchange, const uint8_t *head) {
    if (!exchange->request_done || !link_has_sent_all(exchange_link(exchange))) {
        return refuse(exchange, RELAY_FAULT_UPGRADE, "switching protocols before the request was complete");
    }
    exchange_drop_kept(exchange); /* the response goes to the client */
    tunnel_begin(exchange);
    exchange->handler->head(exchange->owner, &exchange->message, head);
    if (exchange->state != EXCHANGE_TUNNEL) {
        return RESPONSE_STOPPED;
    }
    settle_buffer(exchange);
    return RESPONSE_MORE;
}

/* Up to the final head, which goes to the handler. */
static enum response_outcome read_head(struct relay_exchange *exchange, struct bytes *input) {
    const uint8_t *head;

    for (;;) {
        if (input->size == 0) {
            return RESPONSE_MORE;
        }
        switch (
            http_gather_head(&exchange->gather, &exchange->parser, exchange->buffer, EXCHANGE_BUFFER_SIZE, input, &head)) {
        case HTTP_PARSE_MORE:
            return RESPONSE_MORE;
        case HTTP_PARSE_HEAD:
            break;
        default:
            return refuse_parsed(exchange);
        }
        exchange->last = exchange->last || exchange->gather.mending;
        if (exchange->message.status >= STATUS_FINAL) {
            break;
        }
        if (exchange->message.status == HTTP_STATUS_SWITCHING) {
            return begin_tunnel(exchange, head);
        }
        enum response_outcome outcome = pass_interim(exchange, input, head);
        if (outcome != RESPONSE_MORE) {
            return outcome;
        }
    }
    if (exchange_note_status(exchange)) {
        return RESPONSE_STOPPED;
    }
    exchange_drop_kept(exchange); /* the response goes to the client */
    exchange->keep_s = http_keep_alive_s(&exchange->message, head);
    exchange->signs_in = exchange->signs_in || http_response_signs_in(&exchange->message, head);
    exchange->events = http_is_event_stream(&exchange->message, head);
    exchange->message.trailers_pass = keeps_trailers(exchange);
    if (keeps_trailers(exchange)) {
        keep_names(exchange, head);
    }
    /* An origin that answers before it has the request may take what is left of it, which a client chose, for the next. */
    exchange->last = exchange->last || !exchange->request_done || !link_has_sent_all(exchange_link(exchange));
    exchange->state = EXCHANGE_BODY;
    exchange->handler->head(exchange->owner, &exchange->message, head);
    if (exchange->state != EXCHANGE_BODY) {
        return RESPONSE_STOPPED;
    }
    settle_buffer(exchange);
    return RESPONSE_MORE;
}

static enum response_outcome read_body(struct relay_exchange *exchange, struct bytes *input) {
    for (;;) {
        struct bytes piece = {0};

        switch (http_parser_body(&exchange->parser, input, &piece)) {
        case HTTP_PARSE_BODY:
            if (piece.size > 0) {
                exchange->handler->body(exchange->owner, piece);
                if (exchange->state != EXCHANGE_BODY) {
                    return RESPONSE_STOPPED;
                }
            }
            break;
        case HTTP_PARSE_MORE:
            return RESPONSE_MORE;
        case HTTP_PARSE_END:
            return RESPONSE_COMPLETE;
        default:
            return refuse_parsed(exchange);
        }
    }
}

static enum response_outcome read_tunnel(struct relay_exchange *exchange, struct bytes *input) {
    struct bytes piece = *input;

    *input = (struct bytes){0};
    if (piece.size > 0) {
        exchange->handler->body(exchange->owner, piece);
    }
    return exchange->state == EXCHANGE_TUNNEL ? RESPONSE_MORE : RESPONSE_STOPPED;
}

enum response_outcome response_read(struct relay_exchange *exchange, struct bytes *input) {
    if (exchange->state == EXCHANGE_HEAD) {
        enum response_outcome outcome = read_head(exchange, input);

        if (outcome != RESPONSE_MORE || exchange->state == EXCHANGE_HEAD) {
            return outcome;
        }
    }
    return exchange->state == EXCHANGE_TUNNEL ? read_tunnel(exchange, input) : read_body(exchange, input);
}
