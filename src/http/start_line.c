#include "http/start_line.h"

#include "base/ascii.h"
#include "http/rules.h"
#include "http/syntax.h"

/* The part of the line that parser->parsed is in; it begins at parser->part_start. */
enum part {
    PART_METHOD,
    PART_TARGET,
    PART_VERSION,
};

/* Each '0' stands for any digit. */
static const char version_pattern[] = "HTTP/0.0\r\n";

enum {
    VERSION_SIZE = sizeof version_pattern - 1,
    VERSION_MAJOR = 5,
    VERSION_MINOR = 7,
};

/* Ends the part before parser->parsed, where a space is. */
static struct http_span end_part(struct http_parser *parser, enum part next) {
    struct http_span span = {parser->part_start, parser->parsed - parser->part_start};

    parser->parsed++;
    parser->part = (uint8_t)next;
    parser->part_start = parser->parsed;
    return span;
}

static enum http_result read_method(struct http_parser *parser, size_t size) {
    while (parser->parsed < size && http_is_token_character((uint8_t)parser->head[parser->parsed])) {
        if (parser->parsed - parser->part_start == HTTP_METHOD_MAX) {
            return http_refuse(parser, 501, "the method is too long");
        }
        parser->parsed++;
    }
    if (parser->parsed == size) {
        return HTTP_PARSE_MORE;
    }
    if (parser->head[parser->parsed] != ' ' || parser->parsed == parser->part_start) {
        return http_refuse(parser, 400, "the method is no token with one space behind it");
    }
    parser->message->method = end_part(parser, PART_TARGET);
    http_rules_method(parser->message, http_view(parser->head, parser->message->method));
    return HTTP_PARSE_HEAD;
}

static enum http_result read_target(struct http_parser *parser, size_t size) {
    while (parser->parsed < size && http_is_target_character((uint8_t)parser->head[parser->parsed])) {
        if (parser->parsed - parser->part_start == HTTP_TARGET_MAX) {
            return http_refuse(parser, 414, "the request target is too long");
        }
        parser->parsed++;
    }
    if (parser->parsed == size) {
        return HTTP_PARSE_MORE;
    }
    if (parser->parsed == parser->part_start) {
        return http_refuse(parser, 400, "no request target behind one space");
    }
    if (parser->head[parser->parsed] != ' ') {
        return http_refuse(parser, 400, "a character in the request target that must be encoded, or no version behind it");
    }
    parser->message->target = end_part(parser, PART_VERSION);
    return HTTP_PARSE_HEAD;
}

/* RFC 9110 section 2.5: a minor version of major version 1 that this server does not have is read as its highest, 1. */
static enum http_result read_version(struct http_parser *parser, size_t size) {
    const char *version = parser->head + parser->part_start;

    while (parser->parsed < size && parser->parsed - parser->part_start < VERSION_SIZE) {
        char expected = version_pattern[parser->parsed - parser->part_start];
        char c = parser->head[parser->parsed];

        if (expected == '0' ? !ascii_is_digit((uint8_t)c) : c != expected) {
            return http_refuse(parser, 400, "the request line does not end in one space and an HTTP version");
        }
        parser->parsed++;
    }
    if (parser->parsed - parser->part_start < VERSION_SIZE) {
        return HTTP_PARSE_MORE;
    }
    if (version[VERSION_MAJOR] != '1') {
        return http_refuse(parser, 505, "the major version is not 1");
    }
    parser->message->minor = version[VERSION_MINOR] == '0' ? 0 : 1;
    return HTTP_PARSE_HEAD;
}

enum http_result http_start_line(struct http_parser *parser, size_t size) {
    enum http_result result = HTTP_PARSE_HEAD;

    if (parser->part == PART_METHOD) {
        result = read_method(parser, size);
    }
    if (result == HTTP_PARSE_HEAD && parser->part == PART_TARGET) {
        result = read_target(parser, size);
    }
    if (result == HTTP_PARSE_HEAD) {
        result = read_version(parser, size);
    }
    return result;
}
