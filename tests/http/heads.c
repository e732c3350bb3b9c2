#include "heads.h"

#include "base/check.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct parse *parse_new(enum kind kind) {
    struct parse *parse = calloc(1, sizeof *parse);
    CHECK(parse != NULL);
    parse->message.headers = parse->headers;
    parse->message.headers_max = HTTP_HEADERS_MAX;
    if (kind == REQUEST) {
        http_parser_init_request(&parse->parser, &parse->message, HEAD_MAX);
    } else {
        http_parser_init_response(&parse->parser, &parse->message, HEAD_MAX, kind == RESPONSE_TO_HEAD);
    }
    return parse;
}

/* The buffer is of exactly this size, so that a sanitizer sees a read behind it. */
static void give(struct parse *parse, struct bytes head) {
    free(parse->head);
    parse->head = malloc(head.size + (head.size == 0));
    CHECK(parse->head != NULL);
    memcpy(parse->head, head.data, head.size);
    parse->result = http_parser_head(&parse->parser, bytes_of(parse->head, head.size));
}

struct parse *parse_whole(enum kind kind, struct bytes head) {
    struct parse *parse = parse_new(kind);
    give(parse, head);
    return parse;
}

struct parse *parse_split(enum kind kind, struct bytes head, size_t split) {
    struct parse *parse = parse_new(kind);
    give(parse, bytes_of(head.data, split));
    if (parse->result == HTTP_PARSE_MORE) {
        give(parse, head);
    }
    return parse;
}

struct parse *parse_bytewise(enum kind kind, struct bytes head) {
    struct parse *parse = parse_new(kind);
    for (size_t size = 1; size <= head.size && parse->result == HTTP_PARSE_MORE; size++) {
        give(parse, bytes_of(head.data, size));
    }
    return parse;
}

void parse_free(struct parse *parse) {
    free(parse->head);
    free(parse);
}

static void assert_same(const struct parse *whole, const struct parse *pieces, struct bytes head, size_t split) {
    const struct http_message *a = &whole->message;
    const struct http_message *b = &pieces->message;
    cr_assert_eq(whole->result, pieces->result, "%d, but %d when split at %zu: %.*s", (int)whole->result,
                 (int)pieces->result, split, (int)head.size, (const char *)head.data);
    if (whole->result == HTTP_PARSE_ERROR) {
        cr_assert_eq(whole->parser.error_status, pieces->parser.error_status, "split at %zu: %.*s", split, (int)head.size,
                     (const char *)head.data);
        cr_assert_str_eq(whole->parser.error, pieces->parser.error);
    }
    if (whole->result != HTTP_PARSE_HEAD) {
        return;
    }
    cr_assert_eq(memcmp(a, b, offsetof(struct http_message, headers)), 0, "split at %zu: %.*s", split, (int)head.size,
                 (const char *)head.data);
    for (uint32_t i = 0; i < a->header_count; i++) {
        cr_assert_eq(memcmp(&a->headers[i].name, &b->headers[i].name, sizeof a->headers[i].name), 0);
        cr_assert_eq(a->headers[i].kind, b->headers[i].kind);
        cr_assert_eq(a->headers[i].value.size, b->headers[i].value.size, "split at %zu: %.*s", split, (int)head.size,
                     (const char *)head.data);
        cr_assert(a->headers[i].value.size == 0 || a->headers[i].value.offset == b->headers[i].value.offset);
    }
}

struct parse *parse_all_ways(enum kind kind, struct bytes head) {
    struct parse *whole = parse_whole(kind, head);
    struct parse *pieces;
    for (size_t split = 1; split < head.size; split++) {
        pieces = parse_split(kind, head, split);
        assert_same(whole, pieces, head, split);
        parse_free(pieces);
    }
    pieces = parse_bytewise(kind, head);
    assert_same(whole, pieces, head, 0);
    parse_free(pieces);
    return whole;
}

void assert_span(const struct parse *parse, struct http_span span, const char *expected) {
    cr_assert(bytes_equal(http_view(parse->head, span), bytes_of_string(expected)), "is \"%.*s\", expected \"%s\"",
              (int)span.size, (const char *)parse->head + span.offset, expected);
}

enum http_result decode(struct http_parser *parser, struct bytes input, size_t piece_size, struct text *body, size_t *left) {
    enum http_result result = HTTP_PARSE_MORE;
    while (result == HTTP_PARSE_MORE || result == HTTP_PARSE_BODY) {
        size_t size = input.size < piece_size ? input.size : piece_size;
        uint8_t *copy = malloc(size + (size == 0));
        CHECK(copy != NULL);
        memcpy(copy, input.data, size);
        struct bytes rest = bytes_of(copy, size);
        do {
            struct bytes piece;
            result = http_parser_body(parser, &rest, &piece);
            text_append_bytes(body, piece);
        } while (result == HTTP_PARSE_BODY);
        cr_assert(result != HTTP_PARSE_MORE || rest.size == 0);
        input = bytes_of(input.data + size - rest.size, input.size - size + rest.size);
        free(copy);
        if (input.size == 0 && result == HTTP_PARSE_MORE) {
            break;
        }
    }
    *left = input.size;
    return result;
}
