#include "http/start_line.h"

#include "base/ascii.h"
#include "base/check.h"
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

struct method {
    const char *name;
    enum http_method kind;
    bool idempotent;
    bool content_unexpected;
};

/*
 * Methods that mean something here; or are idempotent (RFC 9110 section 9.2.2, and the safe methods of RFC 3253, RFC 4918,
 * RFC 5323 and the QUERY method); or give content no meaning (RFC 9110 sections 9.3.1, 9.3.2, 9.3.5, 9.3.7 and 9.3.8).
 * Letter case counts (section 9.1). Any other token is relayed as it is.
 */
static const struct method methods[] = {
    {"GET", HTTP_METHOD_OTHER, true, true},        {"HEAD", HTTP_METHOD_HEAD, true, true},
    {"PUT", HTTP_METHOD_OTHER, true, false},       {"DELETE", HTTP_METHOD_OTHER, true, true},
    {"OPTIONS", HTTP_METHOD_OPTIONS, true, true},  {"TRACE", HTTP_METHOD_TRACE, true, true},
    {"CONNECT", HTTP_METHOD_CONNECT, false, true}, {"PROPFIND", HTTP_METHOD_OTHER, true, false},
    {"REPORT", HTTP_METHOD_OTHER, true, false},    {"SEARCH", HTTP_METHOD_OTHER, true, false},
    {"QUERY", HTTP_METHOD_OTHER, true, false},
};

static void note_method(struct http_message *message, struct bytes name) {
    for (size_t i = 0; i < ARRAY_LENGTH(methods); i++) {
        if (bytes_equal(name, bytes_of_string(methods[i].name))) {
            message->method_kind = (uint8_t)methods[i].kind;
            message->head_request = methods[i].kind == HTTP_METHOD_HEAD;
            message->idempotent = methods[i].idempotent;
            message->content_unexpected = methods[i].content_unexpected;
            return;
        }
    }
}

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
    note_method(parser->message, http_view(parser->head, parser->message->method));
    return HTTP_PARSE_HEAD;
}

static bool is_target_character(uint8_t c) {
    return c > ' ' && c < 0x7f && c != '#';
}

static enum http_result read_target(struct http_parser *parser, size_t size) {
    while (parser->parsed < size && is_target_character((uint8_t)parser->head[parser->parsed])) {
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
