#include "http/syntax.h"

#include "http/names.h"

enum http_result http_refuse(struct http_parser *parser, unsigned status, const char *error) {
    parser->phase = HTTP_PHASE_FAILED;
    parser->error_status = status;
    parser->error = error;
    return HTTP_PARSE_ERROR;
}

enum http_result http_refuse_response(struct http_parser *parser, enum http_fault fault, const char *error) {
    parser->fault = fault;
    return http_refuse(parser, 502, error);
}

bool http_is_token_character(uint8_t c) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) {
        return true;
    }
    return c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

bool http_is_token(struct bytes text) {
    for (size_t i = 0; i < text.size; i++) {
        if (!http_is_token_character(text.data[i])) {
            return false;
        }
    }
    return text.size > 0;
}

static bool is_blank(uint8_t c) {
    return c == ' ' || c == '\t';
}

struct bytes http_trim(struct bytes text) {
    while (text.size > 0 && is_blank(text.data[0])) {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && is_blank(text.data[text.size - 1])) {
        text.size--;
    }
    return text;
}

bool http_list_next(struct bytes *list, struct bytes *element) {
    while (list->size > 0) {
        const uint8_t *comma = memchr(list->data, ',', list->size);
        size_t size = comma == NULL ? list->size : (size_t)(comma - list->data);
        size_t used = comma == NULL ? size : size + 1;
        *element = http_trim(bytes_of(list->data, size));
        list->data += used;
        list->size -= used;
        if (element->size > 0) {
            return true;
        }
    }
    return false;
}

bool http_text_is(struct bytes text, const char *lower_case) {
    return bytes_equal_ignoring_case(text, bytes_of_string(lower_case));
}

static bool examine_connection(struct http_message *message, struct bytes value, struct http_head_facts *facts) {
    struct bytes element;
    while (http_list_next(&value, &element)) {
        if (http_text_is(element, "close")) {
            facts->close = true;
        } else if (http_text_is(element, "keep-alive")) {
            facts->keep_alive = true;
        } else if (http_header_kind_of(element) == HTTP_HEADER_END_TO_END) {
            message->connection_names++;
        }
    }
    return message->connection_names <= HTTP_CONNECTION_NAMES_MAX;
}

static void trim_end(struct http_span *value, const char *head) {
    while (value->size > 0 && is_blank((uint8_t)head[value->offset + value->size - 1])) {
        value->size--;
    }
}

bool http_head_examine(struct http_message *message, const char *head, struct http_head_facts *facts) {
    *facts = (struct http_head_facts){0};
    for (uint32_t i = 0; i < message->header_count; i++) {
        struct http_header *header = &message->headers[i];
        trim_end(&header->value, head);
        header->kind = http_header_kind_of(http_view(head, header->name));
        switch (header->kind) {
        case HTTP_HEADER_HOST:
            facts->host = facts->hosts++ == 0 ? header : facts->host;
            break;
        case HTTP_HEADER_CONTENT_LENGTH:
            facts->content_lengths++;
            break;
        case HTTP_HEADER_TRANSFER_ENCODING:
            facts->transfer_encoding = facts->transfer_encodings++ == 0 ? header : facts->transfer_encoding;
            break;
        case HTTP_HEADER_EXPECT:
            facts->expect = facts->expects++ == 0 ? header : facts->expect;
            break;
        case HTTP_HEADER_CONNECTION:
            if (!examine_connection(message, http_view(head, header->value), facts)) {
                return false;
            }
            break;
        case HTTP_HEADER_UPGRADE:
        case HTTP_HEADER_REQUEST_ID:
        case HTTP_HEADER_HOP_BY_HOP:
        case HTTP_HEADER_LOOKALIKE:
        case HTTP_HEADER_END_TO_END:
            break;
        }
    }
    return true;
}
