#include "base/check.h"
#include "relay/exchange.h"

enum { STATUS_FINAL = 200 };

void response_begin(struct relay_exchange *exchange) {
    http_parser_init_response(&exchange->parser, &exchange->message, RELAY_RESPONSE_HEAD_MAX, exchange->to_head);
    exchange->buffered = 0;
}

static void skip(struct bytes *input, size_t size) {
    CHECK(size <= input->size);
    *input = bytes_of(input->data + size, input->size - size);
}

/*
 * Parses a head where it lies when one delivery holds all of it, as nearly always; else in the buffer. *head is then its
 * first byte, and `*input` starts behind it.
 */
static enum http_result gather_head(struct relay_exchange *exchange, struct bytes *input, const uint8_t **head) {
    uint32_t before = exchange->buffered;
    struct bytes view = *input;
    enum http_result result;

    /* The parser refuses a head beyond its bound as soon as that is reached, so the buffer takes one delivery more. */
    CHECK(input->size <= EXCHANGE_BUFFER_SIZE - before);
    if (before > 0) {
        memcpy(exchange->buffer + before, input->data, input->size);
        view = bytes_of(exchange->buffer, before + input->size);
    }
    result = http_parser_head(&exchange->parser, view);
    if (result == HTTP_PARSE_HEAD) {
        CHECK(exchange->message.head_size > before);
        *head = view.data;
        skip(input, exchange->message.head_size - before);
    } else if (result == HTTP_PARSE_MORE) {
        if (before == 0) {
            memcpy(exchange->buffer, input->data, input->size);
        }
        exchange->buffered += (uint32_t)input->size;
        skip(input, input->size);
    }
    return result;
}

/* Up to the final head, which goes to the handler. */
static enum response_outcome read_head(struct relay_exchange *exchange, struct bytes *input) {
    const uint8_t *head;
    struct bytes piece;

    for (;;) {
        if (input->size == 0) {
            return RESPONSE_MORE;
        }
        switch (gather_head(exchange, input, &head)) {
        case HTTP_PARSE_MORE:
            return RESPONSE_MORE;
        case HTTP_PARSE_HEAD:
            break;
        default:
            return RESPONSE_BAD;
        }
        if (exchange->message.status >= STATUS_FINAL) {
            break;
        }
        /* Where even this message is of doubtful length, what follows the final one must not be read as an answer. */
        exchange->last = exchange->last || !exchange->message.keep_alive;
        CHECK(http_parser_body(&exchange->parser, input, &piece) == HTTP_PARSE_END);
        response_begin(exchange);
    }
    exchange->state = EXCHANGE_BODY;
    exchange->handler->head(exchange->owner, &exchange->message, head);
    if (exchange->state != EXCHANGE_BODY) {
        return RESPONSE_STOPPED;
    }
    slab_give(&exchange->relay->buffers, exchange->buffer);
    exchange->buffer = NULL;
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
            return RESPONSE_BAD;
        }
    }
}

enum response_outcome response_read(struct relay_exchange *exchange, struct bytes *input) {
    if (exchange->state == EXCHANGE_HEAD) {
        enum response_outcome outcome = read_head(exchange, input);

        if (outcome != RESPONSE_MORE || exchange->state == EXCHANGE_HEAD) {
            return outcome;
        }
    }
    return read_body(exchange, input);
}
