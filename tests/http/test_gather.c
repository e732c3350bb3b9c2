/* Heads of responses in one delivery or several, strict or as old origins write them. */
#include "http/gather.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum { HEAD_MAX = 512, CAPACITY = 2 * HEAD_MAX };

static struct http_gather gather;
static struct http_parser parser;
static struct http_message message;
static struct http_header headers[8];
static uint8_t buffer[CAPACITY];
static const uint8_t *head;
static struct bytes rest;

static void begin(void) {
    gather = (struct http_gather){0};
    message = (struct http_message){.headers = headers, .headers_max = 8};
    http_parser_init_response(&parser, &message, HEAD_MAX, false);
}

/* Gives the text in pieces of that size, up to a result that ends it. */
static enum http_result give(const char *text, size_t piece) {
    size_t size = strlen(text);
    enum http_result result = HTTP_PARSE_MORE;
    for (size_t at = 0; at < size && result == HTTP_PARSE_MORE; at += piece) {
        rest = bytes_of(text + at, size - at < piece ? size - at : piece);
        result = http_gather_head(&gather, &parser, buffer, sizeof buffer, &rest, &head);
    }
    return result;
}

static const char strict[] = "HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody";
static const char folded[] = "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\nbody";

Test(gather, parses_a_head_where_it_lies) {
    begin();
    cr_assert_eq(give(strict, sizeof strict), HTTP_PARSE_HEAD);
    cr_assert(head == (const uint8_t *)strict && gather.size == 0 && !gather.mending);
    cr_assert(rest.size == 4 && memcmp(rest.data, "body", 4) == 0);
}

Test(gather, gathers_a_head_that_comes_in_pieces) {
    for (size_t piece = 1; piece < sizeof strict - 6; piece++) {
        begin();
        cr_assert_eq(give(strict, piece), HTTP_PARSE_HEAD, "%zu", piece);
        cr_assert_eq(head, buffer);
        cr_assert_eq(memcmp(head, strict, message.head_size), 0);
        cr_assert(message.status == 200 && message.header_count == 1);
        cr_assert_eq(memcmp(rest.data, "body", rest.size), 0);
    }
}

Test(gather, mends_a_head_that_old_origins_write) {
    for (size_t piece = 1; piece < sizeof folded; piece++) {
        begin();
        parser.takes_switch = true;
        cr_assert_eq(give(folded, piece), HTTP_PARSE_HEAD, "%zu", piece);
        cr_assert(gather.mending && head == buffer && parser.takes_switch);
        cr_assert(message.status == 200 && message.header_count == 1);
        cr_assert_eq(memcmp(rest.data, "body", rest.size), 0);
    }
}

Test(gather, refuses_garbage_and_says_why) {
    begin();
    cr_assert_eq(give("SSH-2.0-OpenSSH\r\n", 100), HTTP_PARSE_ERROR);
    cr_assert(parser.fault == HTTP_FAULT_STATUS_LINE && parser.error != NULL);
}

Test(gather, has_a_bound_for_heads_of_either_kind) {
    static char large[2 * HEAD_MAX];
    for (int is_folded = 0; is_folded < 2; is_folded++) {
        int size = snprintf(large, sizeof large, "HTTP/1.1 200 OK\r\nA: b\r\n%s", is_folded ? " c\r\n" : "B: ");
        memset(large + size, 'x', sizeof large - 1 - (size_t)size);
        begin();
        cr_assert_eq(give(large, 16), HTTP_PARSE_ERROR);
        cr_assert_eq(parser.fault, HTTP_FAULT_TOO_LARGE, "%d", is_folded);
    }
}
