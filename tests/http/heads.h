/* Heads and bodies pushed through the parser whole and in pieces, for the tests of this folder. */
#ifndef TESTS_HTTP_HEADS_H
#define TESTS_HTTP_HEADS_H

#include "base/text.h"
#include "http/forward.h"
#include "http/parser.h"

enum { HEAD_MAX = 32 * 1024 };

/* A literal with its NULs but without the one at its end. */
#define LITERAL(text)                                                                                                       \
    { (const uint8_t *)(text), sizeof(text) - 1 }

enum kind { REQUEST, RESPONSE, RESPONSE_TO_HEAD };

struct parse {
    struct http_parser parser;
    struct http_message message;
    struct http_header headers[HTTP_HEADERS_MAX];
    uint8_t *head; /* a copy of exactly the size that was parsed last */
    enum http_result result;
};

/* The result for `head` given as one call, or as two with the buffer moved in between (0 < split < size). Free it. */
struct parse *parse_whole(enum kind kind, struct bytes head);
struct parse *parse_split(enum kind kind, struct bytes head, size_t split);
/* One call for each byte more, the buffer moved each time. */
struct parse *parse_bytewise(enum kind kind, struct bytes head);
void parse_free(struct parse *parse);

/* As parse_whole, and asserts that every way of splitting gives the same. */
struct parse *parse_all_ways(enum kind kind, struct bytes head);

/* Asserts that the span reads `expected`. */
void assert_span(const struct parse *parse, struct http_span span, const char *expected);

/*
 * Gives `input` to the parser in pieces of at most `piece_size`, appends what it decodes to `body`. The last result, with
 * the number of bytes that the message did not take in `*left`.
 */
enum http_result decode(struct http_parser *parser, struct bytes input, size_t piece_size, struct text *body, size_t *left);

#endif
