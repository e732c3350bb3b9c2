#include "http/head.h"

#include "http/syntax.h"

static bool examine_connection(struct http_message *message, struct bytes value, struct http_head_facts *facts) {
    struct bytes element;
    while (http_list_next(&value, &element)) {
        if (http_text_is(element, "close")) {
            facts->close = true;
        } else if (http_text_is(element, "keep-alive")) {
            facts->keep_alive = true;
        } else if (http_text_is(element, "upgrade")) {
            message->upgrades = true;
        } else if (http_header_kind_of(element) == HTTP_HEADER_END_TO_END) {
            message->connection_names++;
        }
    }
    return message->connection_names <= HTTP_CONNECTION_NAMES_MAX;
}

static void trim_end(struct http_span *value, const char *head) {
    while (value->size > 0 && http_is_blank((uint8_t)head[value->offset + value->size - 1])) {
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
