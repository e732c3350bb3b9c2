/*
 * Any bytes as a chunked body. The first byte says in what pieces they come; the outcome must not depend on it, and what
 * is accepted must mean the same to a second decoder that knows only the grammar of RFC 9112 section 7.1: the strict one for
 * requests, the one with white space for responses. Trailers that go on must be lines that frame nothing.
 */
#include "base/check.h"
#include "base/hash.h"
#include "http/parser.h"
#include "http/trailers.h"

#include <stdlib.h>

struct outcome {
    enum http_result result;
    unsigned status;
    size_t used;
    size_t body_size;
    uint8_t *body;
    size_t trailers_size;
    uint8_t *trailers;
};

static struct outcome decode(const uint8_t *data, size_t size, size_t piece_size, bool request) {
    static const char request_head[] = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    static const char response_head[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    static struct http_header headers[HTTP_HEADERS_MAX];
    static struct http_message message = {.headers_max = HTTP_HEADERS_MAX, .headers = headers};
    struct outcome outcome = {.body = malloc(size + 1), .trailers = malloc(HTTP_TRAILERS_MAX)};
    CHECK(outcome.body != NULL && outcome.trailers != NULL);
    struct http_parser parser;
    if (request) {
        http_parser_init_request(&parser, &message, 1024);
    } else {
        http_parser_init_response(&parser, &message, 1024, false);
    }
    CHECK(http_parser_head(&parser, bytes_of_string(request ? request_head : response_head)) == HTTP_PARSE_HEAD);
    parser.trailers = outcome.trailers;
    while (outcome.used < size && outcome.result == HTTP_PARSE_MORE) {
        size_t given = size - outcome.used < piece_size ? size - outcome.used : piece_size;
        uint8_t *copy = malloc(given);
        CHECK(copy != NULL);
        memcpy(copy, data + outcome.used, given);
        struct bytes input = bytes_of(copy, given);
        struct bytes piece;
        while ((outcome.result = http_parser_body(&parser, &input, &piece)) == HTTP_PARSE_BODY) {
            memcpy(outcome.body + outcome.body_size, piece.data, piece.size);
            outcome.body_size += piece.size;
        }
        outcome.used += given - input.size;
        free(copy);
    }
    outcome.trailers_size = http_parser_trailers(&parser).size;
    outcome.status = outcome.result == HTTP_PARSE_ERROR ? parser.error_status : 0;
    return outcome;
}

/* The end of the line that begins at `at`, behind its CRLF; 0 when there is none. */
static size_t line_end(const uint8_t *data, size_t size, size_t at) {
    for (size_t i = at; i + 1 < size; i++) {
        if (data[i] == '\r' && data[i + 1] == '\n') {
            return i + 2;
        }
    }
    return 0;
}

static int hex_digit(uint8_t c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* Asserts that the body that was accepted is what the grammar says, and ends where it says. */
static void check_accepted(const uint8_t *data, size_t size, const struct outcome *outcome, bool request) {
    size_t at = 0;
    size_t body_size = 0;
    for (;;) {
        size_t end = line_end(data, size, at);
        size_t chunk = 0;
        CHECK(end > 0 && hex_digit(data[at]) >= 0);
        for (; hex_digit(data[at]) >= 0; at++) {
            CHECK(chunk < SIZE_MAX / 16);
            chunk = chunk * 16 + (size_t)hex_digit(data[at]);
        }
        CHECK(data[at] == '\r' || data[at] == ';' || (!request && (data[at] == ' ' || data[at] == '\t')));
        at = end;
        if (chunk == 0) {
            break;
        }
        CHECK(size - at >= chunk + 2 && outcome->body_size - body_size >= chunk);
        CHECK(memcmp(outcome->body + body_size, data + at, chunk) == 0);
        body_size += chunk;
        at += chunk;
        CHECK(data[at] == '\r' && data[at + 1] == '\n');
        at += 2;
    }
    CHECK(body_size == outcome->body_size);
    CHECK(outcome->trailers_size == outcome->used - at && memcmp(outcome->trailers, data + at, outcome->trailers_size) == 0);
    while (data[at] != '\r') {
        at = line_end(data, size, at);
        CHECK(at > 0 && at < size);
    }
    CHECK(at + 2 == outcome->used);
}

/* Checks the relayed trailers: they fit, read as lines that end in CRLF, and stay the same when relayed again. */
static void check_trailers(const struct outcome *outcome) {
    static struct http_removals *removals;
    static char memory[2 * HTTP_TRAILERS_MAX];
    static char again_memory[2 * HTTP_TRAILERS_MAX];
    if (removals == NULL) {
        hash_init();
        removals = http_removals_create();
        CHECK(removals != NULL && http_removals_add_own(removals) == 0);
    }
    const struct http_forwarding forwarding = {.removals = removals};
    struct text out = text_over(memory, sizeof memory);
    struct text again = text_over(again_memory, sizeof again_memory);
    http_write_trailers(&out, bytes_of(outcome->trailers, outcome->trailers_size), (struct bytes){0}, &forwarding);
    CHECK(!out.overflow);
    http_write_trailers(&again, text_bytes(&out), (struct bytes){0}, &forwarding);
    CHECK(bytes_equal(text_bytes(&out), text_bytes(&again)));
    if (out.size > 0) {
        const char *colon = memchr(out.data, ':', out.size);
        const char *end = memchr(out.data, '\n', out.size);
        CHECK(colon != NULL && end != NULL && colon < end);
        memcpy(again.data, out.data, out.size);
        size_t left = http_trailers_drop((uint8_t *)again.data, out.size, bytes_of(out.data, (size_t)(colon - out.data)));
        CHECK(left <= out.size - (size_t)(end + 1 - out.data));
    }
    for (size_t i = 0; i < out.size; i++) {
        CHECK(out.data[i] != '\0' && (out.data[i] != '\n' || (i > 0 && out.data[i - 1] == '\r')));
        CHECK(out.data[i] != '\r' || (i + 1 < out.size && out.data[i + 1] == '\n' && i > 0 && out.data[i - 1] != '\n'));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) {
        return 0;
    }
    bool request = (data[0] & 1) != 0;
    size_t piece_size = 1 + (data[0] >> 1);
    data++;
    size--;
    struct outcome whole = decode(data, size, size, request);
    struct outcome pieces = decode(data, size, piece_size, request);
    CHECK(whole.result == pieces.result && whole.status == pieces.status);
    if (whole.result != HTTP_PARSE_ERROR) {
        CHECK(whole.used == pieces.used && whole.body_size == pieces.body_size);
        CHECK(memcmp(whole.body, pieces.body, whole.body_size) == 0);
    }
    if (whole.result == HTTP_PARSE_END) {
        check_accepted(data, size, &whole, request);
        CHECK(whole.trailers_size == pieces.trailers_size &&
              memcmp(whole.trailers, pieces.trailers, whole.trailers_size) == 0);
        check_trailers(&whole);
    }
    free(whole.body);
    free(pieces.body);
    free(whole.trailers);
    free(pieces.trailers);
    return 0;
}
