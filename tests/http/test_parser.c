#include "heads.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const char chunked_head[] = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
static const char chunked_answer[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

static void repeat(struct text *text, char c, size_t count) {
    while (count-- > 0) {
        text_append_char(text, c);
    }
}

Test(parser, nothing_and_one_byte_ask_for_more) {
    struct parse *parse = parse_whole(REQUEST, bytes_of("", 0));
    cr_assert_eq(parse->result, HTTP_PARSE_MORE);
    cr_assert_eq(http_parser_head(&parse->parser, bytes_of("\r", 1)), HTTP_PARSE_MORE);
    cr_assert_eq(http_parser_head(&parse->parser, bytes_of("\r\n", 2)), HTTP_PARSE_MORE);
    cr_assert_eq(http_parser_head(&parse->parser, bytes_of("\r\nG", 3)), HTTP_PARSE_MORE);
    parse_free(parse);
}

Test(parser, bytes_behind_the_head_belong_to_the_caller) {
    struct bytes two = LITERAL("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: b\r\n\r\n");
    struct parse *first = parse_whole(REQUEST, two);
    cr_assert_eq(first->result, HTTP_PARSE_HEAD);
    cr_assert_eq(first->message.head_size, two.size / 2);
    struct bytes rest = bytes_of(two.data + first->message.head_size, two.size - first->message.head_size);
    struct bytes piece;
    cr_assert_eq(http_parser_body(&first->parser, &rest, &piece), HTTP_PARSE_END);
    cr_assert_eq(http_parser_body(&first->parser, &rest, &piece), HTTP_PARSE_END, "the end stays the end");
    cr_assert_eq(rest.size, two.size / 2);
    struct parse *second = parse_whole(REQUEST, rest);
    cr_assert_eq(second->result, HTTP_PARSE_HEAD);
    assert_span(second, second->message.path, "/2");
    parse_free(first);
    parse_free(second);
}

Test(parser, as_many_headers_as_there_is_room_for) {
    static const char *const last[] = {"x: y", "x\xff: y", "x: \x01", "Content-Length: x"};
    for (size_t i = 0; i < sizeof last / sizeof last[0]; i++) {
        for (size_t before = HTTP_HEADERS_MAX - 2; before <= HTTP_HEADERS_MAX; before++) {
            for (enum kind kind = REQUEST; kind <= RESPONSE; kind++) {
                char buffer[4096];
                struct text head = text_over(buffer, sizeof buffer);
                text_append_string(&head,
                                   kind == REQUEST ? "GET / HTTP/1.1\r\nHost: a\r\n" : "HTTP/1.1 200 OK\r\nHost: a\r\n");
                for (size_t header = 1; header < before; header++) {
                    text_append_format(&head, "x%zu: y\r\n", header);
                }
                text_append_format(&head, "%s\r\n\r\n", last[i]);
                struct parse *parse = parse_all_ways(kind, text_bytes(&head));
                bool fits = before < HTTP_HEADERS_MAX;
                cr_assert_eq(parse->result, fits && i == 0 ? HTTP_PARSE_HEAD : HTTP_PARSE_ERROR);
                if (parse->result == HTTP_PARSE_ERROR && kind == RESPONSE) {
                    cr_assert_eq(parse->parser.error_status, 502);
                } else if (parse->result == HTTP_PARSE_ERROR) {
                    /* A fault in the name comes first, then one in the number of headers, then one in the value. */
                    cr_assert_eq(parse->parser.error_status, fits || i == 1 ? 400 : 431, "%s: %u", last[i],
                                 parse->parser.error_status);
                }
                parse_free(parse);
            }
        }
    }
}

static unsigned status_of_head(uint32_t head_size_max, struct bytes head, size_t step) {
    struct http_header headers[HTTP_HEADERS_MAX];
    struct http_message message = {.headers_max = HTTP_HEADERS_MAX, .headers = headers};
    enum http_result result = HTTP_PARSE_MORE;
    struct http_parser parser;
    http_parser_init_request(&parser, &message, head_size_max);
    for (size_t size = step; result == HTTP_PARSE_MORE && size < head.size; size += step) {
        result = http_parser_head(&parser, bytes_of(head.data, size));
    }
    if (result == HTTP_PARSE_MORE) {
        result = http_parser_head(&parser, head);
    }
    return result == HTTP_PARSE_ERROR ? parser.error_status : (unsigned)result;
}

Test(parser, a_head_ends_at_its_limit) {
    static char buffer[128 * 1024];
    for (size_t size = 1000; size < 1003; size++) {
        struct text head = text_over(buffer, sizeof buffer);
        text_append_string(&head, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
        repeat(&head, 'x', size - head.size - 4);
        text_append_string(&head, "\r\n\r\n");
        cr_assert_eq(head.size, size);
        text_append_string(&head, "more that is not of the head");
        for (size_t step = 1; step < 1200; step += 59) {
            cr_assert_eq(status_of_head(1001, text_bytes(&head), step), size <= 1001 ? (unsigned)HTTP_PARSE_HEAD : 431);
        }
    }
}

Test(parser, a_target_ends_at_its_limit) {
    static char buffer[128 * 1024];
    for (size_t size = HTTP_TARGET_MAX - 1; size <= HTTP_TARGET_MAX + 1; size++) {
        struct text head = text_over(buffer, sizeof buffer);
        text_append_string(&head, "GET /");
        repeat(&head, 'x', size - 1);
        text_append_string(&head, " HTTP/1.1\r\nHost: a\r\n\r\n");
        unsigned expected = size <= HTTP_TARGET_MAX ? (unsigned)HTTP_PARSE_HEAD : 414;
        cr_assert_eq(status_of_head(64 * 1024, text_bytes(&head), 1460), expected);
        cr_assert_eq(status_of_head(64 * 1024, text_bytes(&head), head.size), expected);
        cr_assert_eq(status_of_head(8000, text_bytes(&head), 1460), 414, "the request line alone is over the head's limit");
        head.data[5 + size - 2] = '\x7f';
        cr_assert_eq(status_of_head(64 * 1024, text_bytes(&head), 1460), 400);
        cr_assert_eq(status_of_head(64 * 1024, text_bytes(&head), head.size), 400, "however the bytes come");
    }
}

Test(parser, a_response_head_ends_at_its_limit) {
    struct http_header headers[HTTP_HEADERS_MAX];
    struct http_message message = {.headers_max = HTTP_HEADERS_MAX, .headers = headers};
    struct http_parser parser;
    http_parser_init_response(&parser, &message, 64, false);
    struct bytes head = LITERAL("HTTP/1.1 200 OK\r\nX: 01234567890123456789012345678901234567890123456789\r\n\r\n");
    cr_assert_eq(http_parser_head(&parser, head), HTTP_PARSE_ERROR);
    cr_assert_eq(parser.error_status, 502);
}

/* Decodes head and body with pieces of every size; the outcome must be the same. */
static void check_body(enum kind kind, const char *head, struct bytes input, enum http_result expected, const char *body,
                       size_t left) {
    for (size_t piece_size = 1; piece_size <= input.size + 1; piece_size++) {
        char buffer[1024];
        struct text decoded = text_over(buffer, sizeof buffer);
        struct parse *parse = parse_whole(kind, bytes_of_string(head));
        cr_assert_eq(parse->result, HTTP_PARSE_HEAD, "%s", head);
        parse->parser.message = NULL;
        size_t rest;
        enum http_result result = decode(&parse->parser, input, piece_size, &decoded, &rest);
        cr_assert_eq(result, expected, "%d, expected %d (%s), pieces of %zu: %.*s", (int)result, (int)expected,
                     parse->parser.error == NULL ? "" : parse->parser.error, piece_size, (int)input.size,
                     (const char *)input.data);
        if (expected == HTTP_PARSE_ERROR) {
            cr_assert_eq(parse->parser.error_status, kind == REQUEST ? 400 : 502, "%.*s", (int)input.size,
                         (const char *)input.data);
            cr_assert_not(http_parser_finish(&parse->parser));
        } else {
            cr_assert(bytes_equal(text_bytes(&decoded), bytes_of_string(body)), "%.*s", (int)input.size,
                      (const char *)input.data);
            cr_assert_eq(rest, left, "%zu left, expected %zu: %.*s", rest, left, (int)input.size, (const char *)input.data);
            cr_assert_eq(http_parser_finish(&parse->parser), expected == HTTP_PARSE_END);
        }
        parse_free(parse);
    }
}

Test(parser, chunked_bodies) {
    static const struct {
        struct bytes input;
        enum http_result result;
        const char *body;
        size_t left;
    } cases[] = {
        {LITERAL("0\r\n\r\n"), HTTP_PARSE_END, "", 0},
        {LITERAL("3\r\nabc\r\n0\r\n\r\n"), HTTP_PARSE_END, "abc", 0},
        {LITERAL("3\r\nabc\r\n0\r\n\r\nGET /"), HTTP_PARSE_END, "abc", 5},
        {LITERAL("1\r\na\r\nA\r\n0123456789\r\n00\r\n\r\n\r\n"), HTTP_PARSE_END, "a0123456789", 2},
        {LITERAL("0003;a=b;c=\"d;\\\"\";e\r\nabc\r\n0;x\r\n\r\n"), HTTP_PARSE_END, "abc", 0},
        {LITERAL("3\r\n\r\n0\r\n0\r\n\r\n"), HTTP_PARSE_END, "\r\n0", 0},
        {LITERAL("1\r\nx\r\n0\r\nA: b\r\nX-Client-Cert-Status: valid\r\n\r\n!"), HTTP_PARSE_END, "x", 1},
        {LITERAL("1\r\nx\r\n0\r\nConnection: close\r\n\r\nGET"), HTTP_PARSE_END, "x", 3},
        {LITERAL("1\r\nx\r\n0\r\nA: b\r\n"), HTTP_PARSE_MORE, "x", 0},
        {LITERAL("5\r\nabc"), HTTP_PARSE_MORE, "abc", 0},
        {LITERAL("5\r\nabcde"), HTTP_PARSE_MORE, "abcde", 0},
        {LITERAL("5"), HTTP_PARSE_MORE, "", 0},
        {LITERAL("\r\n"), HTTP_PARSE_ERROR, "", 0},
        {LITERAL("x\r\n"), HTTP_PARSE_ERROR, "", 0},
        {LITERAL("-1\r\n"), HTTP_PARSE_ERROR, "", 0},
        {LITERAL("+1\r\nx\r\n"), HTTP_PARSE_ERROR, "", 0},
        {LITERAL("0x1\r\nx\r\n"), HTTP_PARSE_ERROR, "", 0},
        {LITERAL(" 1\r\nx\r\n"), HTTP_PARSE_ERROR, "", 0},
        {LITERAL("1\nx\r\n"), HTTP_PARSE_ERROR, "", 0},
        {LITERAL("1\rx\r\n"), HTTP_PARSE_ERROR, "", 0},
        {LITERAL("1\r\nx\n0\r\n\r\n"), HTTP_PARSE_ERROR, "", 0},
        {LITERAL("1\r\nx0\r\n\r\n"), HTTP_PARSE_ERROR, "", 0},
        {LITERAL("1\r\nxy\r\n"), HTTP_PARSE_ERROR, "", 0},
        {LITERAL("3\r\nab\r\n0\r\n\r\n"), HTTP_PARSE_ERROR, "", 0},
        {LITERAL("1;\nx\r\n"), HTTP_PARSE_ERROR, "", 0},
        {LITERAL("1;a=b\nx\r\n"), HTTP_PARSE_ERROR, "", 0},
        {LITERAL("1;a=\"\n\"\r\nx\r\n"), HTTP_PARSE_ERROR, "", 0},
        {LITERAL("1;a=\"\\\n\"\r\nx\r\n"), HTTP_PARSE_ERROR, "", 0},
        {LITERAL("1;\0\r\nx\r\n"), HTTP_PARSE_ERROR, "", 0},
        {LITERAL("1,1\r\nx\r\n"), HTTP_PARSE_ERROR, "", 0},
        {LITERAL("10000000000000000\r\nx\r\n"), HTTP_PARSE_ERROR, "", 0},
        {LITERAL("fffffffffffffffff\r\nx\r\n"), HTTP_PARSE_ERROR, "", 0},
        {LITERAL("0\r\nA : b\r\n\r\n"), HTTP_PARSE_ERROR, "", 0},
        {LITERAL("0\r\nA: b\n\r\n"), HTTP_PARSE_ERROR, "", 0},
        {LITERAL("0\r\nA: b\r\n c\r\n\r\n"), HTTP_PARSE_ERROR, "", 0},
        {LITERAL("0\r\n A: b\r\n\r\n"), HTTP_PARSE_ERROR, "", 0},
        {LITERAL("0\r\n: b\r\n\r\n"), HTTP_PARSE_ERROR, "", 0},
        {LITERAL("0\r\nA: \0\r\n\r\n"), HTTP_PARSE_ERROR, "", 0},
        {LITERAL("0\r\n\n"), HTTP_PARSE_ERROR, "", 0},
        {LITERAL("0\r\n\rX"), HTTP_PARSE_ERROR, "", 0},
        {LITERAL("0\n\r\n"), HTTP_PARSE_ERROR, "", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check_body(REQUEST, chunked_head, cases[i].input, cases[i].result, cases[i].body, cases[i].left);
        check_body(RESPONSE, chunked_answer, cases[i].input, cases[i].result, cases[i].body, cases[i].left);
    }
}

/*
 * An origin may send such chunks and a client may not, since the body of an origin is framed anew, and the body of a client
 * is trusted.
 */
Test(parser, chunks_with_white_space_are_for_origins) {
    static const struct {
        struct bytes input;
        const char *body;
    } cases[] = {
        {LITERAL("1 \r\nx\r\n0\r\n\r\n"), "x"},
        {LITERAL("1\t\r\nx\r\n0  \r\n\r\n"), "x"},
        {LITERAL("6   \r\nhello\n\r\n0  \r\n\r\n"), "hello\n"},
        {LITERAL("1 ;a\r\nx\r\n0\r\n\r\n"), "x"},
        {LITERAL("1 ; a = b\t;c\r\nx\r\n0 ; d\r\n\r\n"), "x"},
        {LITERAL("1; a=\"b c\"\r\nx\r\n0\r\n\r\n"), "x"},
        {LITERAL("0\r\nContent-Length: 5\r\n\r\n"), ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check_body(RESPONSE, chunked_answer, cases[i].input, HTTP_PARSE_END, cases[i].body, 0);
        check_body(REQUEST, chunked_head, cases[i].input, HTTP_PARSE_ERROR, "", 0);
    }
}

Test(parser, chunk_sizes_are_digits_in_every_case) {
    static const struct bytes bad[] = {
        LITERAL("1 1\r\nx\r\n"), LITERAL(" \r\nx"),   LITERAL(";a\r\n"), LITERAL("1 x\r\n"),
        LITERAL("1 \n"),         LITERAL("1 \r\r\n"), LITERAL("\r\n"),   LITERAL("1;\x7f\r\n"),
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        check_body(RESPONSE, chunked_answer, bad[i], HTTP_PARSE_ERROR, "", 0);
        check_body(REQUEST, chunked_head, bad[i], HTTP_PARSE_ERROR, "", 0);
    }
}

Test(parser, trailers_are_kept_where_they_are_wanted) {
    static const char input[] = "1\r\nx\r\n0\r\nA: b\r\nC-D:  e \r\n\r\nnext";
    for (int kind = REQUEST; kind <= RESPONSE; kind++) {
        for (size_t piece_size = 1; piece_size < sizeof input; piece_size++) {
            char buffer[16];
            struct text body = text_over(buffer, sizeof buffer);
            size_t left;
            struct parse *parse =
                parse_whole((enum kind)kind, bytes_of_string(kind == REQUEST ? chunked_head : chunked_answer));
            uint8_t memory[HTTP_TRAILERS_MAX];
            parse->parser.trailers = memory;
            cr_assert_eq(decode(&parse->parser, bytes_of_string(input), piece_size, &body, &left), HTTP_PARSE_END);
            cr_assert_eq(left, 4);
            cr_assert(bytes_equal(http_parser_trailers(&parse->parser), bytes_of_string("A: b\r\nC-D:  e \r\n\r\n")),
                      "%d %zu", kind, piece_size);
            parse_free(parse);
        }
    }
}

Test(parser, bodies_by_length) {
    struct bytes input = LITERAL("hello\r\nGET /");
    check_body(REQUEST, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", input, HTTP_PARSE_END, "hello", 7);
    check_body(REQUEST, "POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\n", input, HTTP_PARSE_END, "hello", 7);
    check_body(REQUEST, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", input, HTTP_PARSE_END, "", 12);
    check_body(REQUEST, "POST / HTTP/1.1\r\nHost: a\r\n\r\n", input, HTTP_PARSE_END, "", 12);
    check_body(REQUEST, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\n", input, HTTP_PARSE_END, "hello\r\nGET /",
               0);
    check_body(REQUEST, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 13\r\n\r\n", input, HTTP_PARSE_MORE, "hello\r\nGET /",
               0);
    check_body(RESPONSE, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n", input, HTTP_PARSE_END, "hello",
               7);
    check_body(RESPONSE, "HTTP/1.1 304 OK\r\nContent-Length: 5\r\n\r\n", input, HTTP_PARSE_END, "", 12);
    check_body(RESPONSE, "HTTP/1.1 204 OK\r\n\r\n", input, HTTP_PARSE_END, "", 12);
    check_body(RESPONSE, "HTTP/1.1 103 Hints\r\n\r\n", input, HTTP_PARSE_END, "", 12);
    check_body(RESPONSE_TO_HEAD, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", input, HTTP_PARSE_END, "", 12);
    check_body(RESPONSE_TO_HEAD, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", input, HTTP_PARSE_END, "", 12);
    check_body(RESPONSE_TO_HEAD, "HTTP/1.1 200 OK\r\n\r\n", input, HTTP_PARSE_END, "", 12);
}

Test(parser, a_body_until_close_ends_with_the_connection) {
    struct parse *parse = parse_whole(RESPONSE, bytes_of_string("HTTP/1.1 200 OK\r\n\r\n"));
    struct bytes input = LITERAL("all of it");
    struct bytes piece;
    cr_assert_eq(parse->message.framing, HTTP_UNTIL_CLOSE);
    cr_assert_eq(http_parser_body(&parse->parser, &input, &piece), HTTP_PARSE_BODY);
    cr_assert_eq(piece.size, 9);
    cr_assert_eq(http_parser_body(&parse->parser, &input, &piece), HTTP_PARSE_MORE);
    cr_assert(http_parser_finish(&parse->parser));
    cr_assert_eq(http_parser_body(&parse->parser, &input, &piece), HTTP_PARSE_END);
    parse_free(parse);
}

Test(parser, a_close_that_cuts_a_message_short_is_told) {
    struct parse *parse = parse_whole(RESPONSE, bytes_of_string("HTTP/1.1 200 OK\r\nContent-Len"));
    cr_assert_eq(parse->result, HTTP_PARSE_MORE);
    cr_assert_not(http_parser_finish(&parse->parser));
    parse_free(parse);
    parse = parse_whole(RESPONSE, bytes_of_string("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    cr_assert(http_parser_finish(&parse->parser), "complete, though nobody asked for the end");
    parse_free(parse);
    parse = parse_whole(RESPONSE, bytes_of_string("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"));
    cr_assert_not(http_parser_finish(&parse->parser));
    parse_free(parse);
}

static unsigned status_of_chunked(enum kind kind, struct bytes input, size_t piece_size) {
    static char buffer[256 * 1024];
    struct text body = text_over(buffer, sizeof buffer);
    struct parse *parse = parse_whole(kind, bytes_of_string(kind == REQUEST ? chunked_head : chunked_answer));
    size_t left;
    enum http_result result = decode(&parse->parser, input, piece_size, &body, &left);
    unsigned status = result == HTTP_PARSE_ERROR ? parse->parser.error_status : (unsigned)result;
    parse_free(parse);
    return status;
}

static void check_bounds(enum kind kind, unsigned chunk_status, unsigned trailers_status) {
    static char buffer[64 * 1024];
    static const size_t piece_sizes[] = {1, 100, 4096, sizeof buffer};
    for (size_t i = 0; i < sizeof piece_sizes / sizeof piece_sizes[0]; i++) {
        for (size_t size = HTTP_CHUNK_HEAD_MAX - 1; size <= HTTP_CHUNK_HEAD_MAX + 1; size++) {
            struct text input = text_over(buffer, sizeof buffer);
            text_append_string(&input, "1;");
            repeat(&input, 'x', size - 4);
            text_append_string(&input, "\r\ny\r\n0\r\n\r\n");
            cr_assert_eq(status_of_chunked(kind, text_bytes(&input), piece_sizes[i]),
                         size <= HTTP_CHUNK_HEAD_MAX ? (unsigned)HTTP_PARSE_END : chunk_status);
        }
        struct text zeros = text_over(buffer, sizeof buffer);
        repeat(&zeros, '0', 5000);
        cr_assert_eq(status_of_chunked(kind, text_bytes(&zeros), piece_sizes[i]), chunk_status);
        for (size_t size = HTTP_TRAILERS_MAX - 1; size <= HTTP_TRAILERS_MAX + 1; size++) {
            struct text input = text_over(buffer, sizeof buffer);
            text_append_string(&input, "1\r\ny\r\n0\r\n");
            size_t start = input.size;
            while (input.size - start + 100 < size) {
                text_append_string(&input, "Trailer-Name: 0123456789\r\n");
            }
            text_append_string(&input, "X:");
            repeat(&input, 'x', size - (input.size - start) - 4);
            text_append_string(&input, "\r\n\r\n");
            cr_assert_eq(input.size - start, size);
            cr_assert_eq(status_of_chunked(kind, text_bytes(&input), piece_sizes[i]),
                         size <= HTTP_TRAILERS_MAX ? (unsigned)HTTP_PARSE_END : trailers_status);
        }
    }
}

Test(parser, what_frames_a_chunk_has_a_bound) {
    check_bounds(REQUEST, 400, 431);
    check_bounds(RESPONSE, 502, 502);
}

Test(parser, many_small_chunks_pass_with_their_extensions) {
    static char buffer[256 * 1024];
    struct text input = text_over(buffer, sizeof buffer);
    for (size_t i = 0; i < 2000; i++) {
        text_append_string(&input, "2;chunk-signature=0123456789abcdef0123456789abcdef\r\nab\r\n");
    }
    text_append_string(&input, "0\r\n\r\n");
    cr_assert_not(input.overflow);
    cr_assert_eq(status_of_chunked(REQUEST, text_bytes(&input), 1000), (unsigned)HTTP_PARSE_END);
    cr_assert_eq(status_of_chunked(RESPONSE, text_bytes(&input), 1000), (unsigned)HTTP_PARSE_END);
}
