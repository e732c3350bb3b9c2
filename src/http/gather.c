#include "http/gather.h"

#include "base/check.h"
#include "http/mend.h"

#include <string.h>

static void skip(struct bytes *input, size_t size) {
    CHECK(size <= input->size);
    *input = bytes_of(input->data + size, input->size - size);
}

/* Begins the head anew, as the parser was begun. */
static void restart(struct http_parser *parser) {
    bool takes_switch = parser->takes_switch;

    http_parser_init_response(parser, parser->message, parser->head_size_max, parser->to_head);
    parser->takes_switch = takes_switch;
}

static enum http_result mend(struct http_gather *gather, struct http_parser *parser, uint8_t *buffer, size_t capacity,
                             struct bytes *input) {
    uint32_t before = gather->size;

    memcpy(buffer + before, input->data, input->size);
    gather->size += (uint32_t)input->size;
    size_t size = http_mend_head_size(bytes_of(buffer, gather->size), before);
    if (size == 0 && gather->size < parser->head_size_max) {
        skip(input, input->size);
        return HTTP_PARSE_MORE;
    }
    if (size == 0 || size > parser->head_size_max) {
        parser->fault = HTTP_FAULT_TOO_LARGE;
        return HTTP_PARSE_ERROR;
    }
    CHECK(size > before);
    skip(input, size - before);
    size = http_mend_head(buffer, size, capacity);
    if (size == 0) {
        return HTTP_PARSE_ERROR; /* as the parser has found */
    }
    restart(parser);
    if (http_parser_head(parser, bytes_of(buffer, size)) != HTTP_PARSE_HEAD) {
        return HTTP_PARSE_ERROR;
    }
    CHECK(parser->message->head_size == size);
    return HTTP_PARSE_HEAD;
}

enum http_result http_gather_head(struct http_gather *gather, struct http_parser *parser, uint8_t *buffer, size_t capacity,
                                  struct bytes *input, const uint8_t **head) {
    uint32_t before = gather->size;
    struct bytes view = *input;

    /* The parser refuses a head beyond its bound as soon as that is reached, so the buffer takes one delivery more. */
    CHECK(input->size <= capacity - before);
    *head = buffer;
    if (gather->mending) {
        return mend(gather, parser, buffer, capacity, input);
    }
    if (before > 0) {
        memcpy(buffer + before, input->data, input->size);
        view = bytes_of(buffer, before + input->size);
    }
    enum http_result result = http_parser_head(parser, view);
    if (result == HTTP_PARSE_HEAD) {
        CHECK(parser->message->head_size > before);
        *head = view.data;
        skip(input, parser->message->head_size - before);
    } else if (result == HTTP_PARSE_MORE) {
        if (before == 0) {
            memcpy(buffer, input->data, input->size);
        }
        gather->size += (uint32_t)input->size;
        skip(input, input->size);
    } else if (http_mend_may_help(parser->fault, view)) {
        gather->mending = true;
        return mend(gather, parser, buffer, capacity, input);
    }
    return result;
}
