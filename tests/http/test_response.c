#include "heads.h"

#include <criterion/criterion.h>

struct response_case {
    struct bytes head;
    bool accepted;
};

#define GOOD(text)                                                                                                          \
    { LITERAL(text), true }
#define BAD(text)                                                                                                           \
    { LITERAL(text), false }

Test(response, heads) {
    static const struct response_case cases[] = {
        GOOD("HTTP/1.1 200 OK\r\n\r\n"),
        GOOD("HTTP/1.0 200 OK\r\n\r\n"),
        GOOD("HTTP/1.1 200 \r\n\r\n"),
        GOOD("HTTP/1.1 200\r\n\r\n"),
        GOOD("HTTP/1.1 404 Nicht gefunden\t\xc3\xa9\r\n\r\n"),
        GOOD("HTTP/1.1 599 x\r\n\r\n"),
        GOOD("HTTP/1.1 999 x\r\n\r\n"),
        GOOD("HTTP/1.1 100 Continue\r\n\r\n"),
        GOOD("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
        GOOD("HTTP/1.1 200 OK\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"),
        BAD("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"),
        BAD("HTTP/1.1 101 Switching Protocols\r\n\r\n"),
        BAD("HTTP/1.1 099 x\r\n\r\n"),
        BAD("HTTP/1.1 000 x\r\n\r\n"),
        BAD("HTTP/1.1 20 OK\r\n\r\n"),
        BAD("HTTP/1.1 2000 OK\r\n\r\n"),
        BAD("HTTP/1.1 2x0 OK\r\n\r\n"),
        BAD("HTTP/1.1  200 OK\r\n\r\n"),
        BAD("HTTP/1.1\t200 OK\r\n\r\n"),
        BAD("HTTP/1.1 200 O\0K\r\n\r\n"),
        BAD("HTTP/1.1 200 O\x1bK\r\n\r\n"),
        BAD("HTTP/1.1 200 O\x7fK\r\n\r\n"),
        BAD("HTTP/1.1 200 O\rK\r\n\r\n"),
        BAD("HTTP/1.1 200 OK\n\n"),
        BAD("HTTP/1.1 200\n\n"),
        BAD("HTTP/1.2 200 OK\r\n\r\n"),
        BAD("HTTP/2.0 200 OK\r\n\r\n"),
        BAD("HTTP/0.9 200 OK\r\n\r\n"),
        BAD("HTTP/1 200 OK\r\n\r\n"),
        BAD("http/1.1 200 OK\r\n\r\n"),
        BAD("RTSP/1.0 200 OK\r\n\r\n"),
        BAD("ICE/1.0 200 OK\r\n\r\n"),
        BAD("ICY 200 OK\r\n\r\n"),
        BAD("<html>"),
        BAD("\r\nHTTP/1.1 200 OK\r\n\r\n"),
        BAD("\nHTTP/1.1 200 OK\r\n\r\n"),
        BAD(" HTTP/1.1 200 OK\r\n\r\n"),
        BAD("GET / HTTP/1.1\r\n\r\n"),
        BAD("HTTP/1.1 200 OK\r\nA : b\r\n\r\n"),
        BAD("HTTP/1.1 200 OK\r\n A: b\r\n\r\n"),
        BAD("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n"),
        BAD("HTTP/1.1 200 OK\r\nA: b\nB: c\r\n\r\n"),
        BAD("HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n"),
        BAD("HTTP/1.1 200 OK\r\n: b\r\n\r\n"),
        BAD("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n"),
        BAD("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n"),
        BAD("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"),
        BAD("HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n"),
        BAD("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n"),
        BAD("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
        BAD("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"),
        BAD("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
        BAD("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
        BAD("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n"),
        BAD("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"),
        BAD("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n"),
        BAD("HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n\r\n"),
        BAD("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parse *parse = parse_all_ways(RESPONSE, cases[i].head);
        cr_expect_eq(parse->result, cases[i].accepted ? HTTP_PARSE_HEAD : HTTP_PARSE_ERROR, "result %d (%s): %.*s",
                     (int)parse->result, parse->parser.error == NULL ? "" : parse->parser.error, (int)cases[i].head.size,
                     (const char *)cases[i].head.data);
        cr_expect_eq(parse->parser.error_status, cases[i].accepted ? 0 : 502);
        parse_free(parse);
    }
}

Test(response, framing_and_keep_alive) {
    static const struct {
        const char *head;
        enum http_framing framing;
        uint64_t length;
        bool keep_alive;
        bool to_head;
        bool end_in_doubt;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", HTTP_LENGTH, 5, true, false, false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n", HTTP_LENGTH, 5, false, false, false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", HTTP_LENGTH, 0, true, false, false},
        {"HTTP/1.1 205 OK\r\nContent-Length: 0\r\n\r\n", HTTP_LENGTH, 0, true, false, false},
        {"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", HTTP_LENGTH, 5, false, false, false},
        {"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n", HTTP_LENGTH, 5, true, false, false},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_CHUNKED, 0, true, false, false},
        {"HTTP/1.1 200 OK\r\n\r\n", HTTP_UNTIL_CLOSE, 0, false, false, false},
        {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", HTTP_UNTIL_CLOSE, 0, false, false, false},
        {"HTTP/1.1 500 OK\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n", HTTP_UNTIL_CLOSE, 0, false, false, false},
        {"HTTP/1.1 100 Continue\r\n\r\n", HTTP_NO_BODY, 0, true, false, false},
        {"HTTP/1.1 103 Hints\r\nContent-Length: 5\r\n\r\n", HTTP_NO_BODY, 5, true, false, true},
        {"HTTP/1.1 204 No Content\r\n\r\n", HTTP_NO_BODY, 0, true, false, false},
        {"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", HTTP_NO_BODY, 0, true, false, false},
        {"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", HTTP_NO_BODY, 5, true, false, true},
        {"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_NO_BODY, 0, true, false, true},
        {"HTTP/1.1 304 Not Modified\r\n\r\n", HTTP_NO_BODY, 0, true, false, false},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 0\r\n\r\n", HTTP_NO_BODY, 0, true, false, false},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", HTTP_NO_BODY, 5, true, false, true},
        {"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_NO_BODY, 0, true, false, true},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", HTTP_NO_BODY, 5, true, true, true},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", HTTP_NO_BODY, 0, true, true, false},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_NO_BODY, 0, true, true, true},
        {"HTTP/1.1 200 OK\r\n\r\n", HTTP_NO_BODY, 0, true, true, true},
        {"HTTP/1.1 204 No Content\r\n\r\n", HTTP_NO_BODY, 0, true, true, false},
        {"HTTP/1.1 304 Not Modified\r\n\r\n", HTTP_NO_BODY, 0, true, true, false},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", HTTP_NO_BODY, 5, true, true, true},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive, close\r\n\r\n", HTTP_LENGTH, 5, false, false,
         false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n", HTTP_NO_BODY, 5, false, true, true},
        {"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", HTTP_NO_BODY, 5, false, true, true},
        {"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive, close\r\n\r\n", HTTP_LENGTH, 5, false, false,
         false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parse *parse = parse_all_ways(cases[i].to_head ? RESPONSE_TO_HEAD : RESPONSE, bytes_of_string(cases[i].head));
        cr_assert_eq(parse->result, HTTP_PARSE_HEAD, "%s", cases[i].head);
        cr_expect_eq(parse->message.framing, cases[i].framing, "%s", cases[i].head);
        cr_expect_eq(parse->message.content_length, cases[i].length, "%s", cases[i].head);
        cr_expect_eq(parse->message.keep_alive, cases[i].keep_alive, "%s", cases[i].head);
        cr_expect_eq(parse->message.end_in_doubt, cases[i].end_in_doubt, "%s", cases[i].head);
        parse_free(parse);
    }
}

Test(response, faults_have_names) {
    static const struct {
        const char *head;
        enum http_fault fault;
    } cases[] = {
        {"SSH-2.0-x\r\n\r\n", HTTP_FAULT_STATUS_LINE},
        {"HTTP/2.0 200 OK\r\n\r\n", HTTP_FAULT_STATUS_LINE},
        {"HTTP/1.1 099 x\r\n\r\n", HTTP_FAULT_STATUS_LINE},
        {"HTTP/1.1 200 O\x1bK\r\n\r\n", HTTP_FAULT_STATUS_LINE},
        {"\r\nHTTP/1.1 200 OK\r\n\r\n", HTTP_FAULT_STATUS_LINE},
        {"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", HTTP_FAULT_HEADER},
        {"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", HTTP_FAULT_HEADER},
        {"HTTP/1.1 200 OK\r\nA\r\n\r\n", HTTP_FAULT_HEADER},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", HTTP_FAULT_LENGTH},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n", HTTP_FAULT_LENGTH},
        {"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n", HTTP_FAULT_LENGTH},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_FAULT_LENGTH},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", HTTP_FAULT_LENGTH},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", HTTP_FAULT_TRANSFER_ENCODING},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
         HTTP_FAULT_TRANSFER_ENCODING},
        {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_FAULT_TRANSFER_ENCODING},
        {"HTTP/1.1 101 x\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", HTTP_FAULT_UPGRADE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parse *parse = parse_all_ways(RESPONSE, bytes_of_string(cases[i].head));
        cr_assert_eq(parse->result, HTTP_PARSE_ERROR, "%s", cases[i].head);
        cr_expect_eq(parse->parser.fault, cases[i].fault, "%d: %s", (int)parse->parser.fault, cases[i].head);
        parse_free(parse);
    }
}

Test(response, may_have_as_many_headers_as_it_is_given_room_for) {
    static struct http_header headers[1000];
    static char buffer[32 * 1024];
    for (unsigned limit = 10; limit <= 1000; limit += 495) {
        for (unsigned count = limit - 1; count <= limit + 1; count++) {
            struct http_message message = {.headers_max = limit, .headers = headers};
            struct text head = text_over(buffer, sizeof buffer);
            text_append_string(&head, "HTTP/1.1 200 OK\r\n");
            for (unsigned i = 0; i < count; i++) {
                text_append_format(&head, "X-%u: %u\r\n", i, i);
            }
            text_append_string(&head, "\r\n");
            struct http_parser parser;
            http_parser_init_response(&parser, &message, sizeof buffer, false);
            enum http_result result = http_parser_head(&parser, text_bytes(&head));
            cr_assert_eq(result, count <= limit ? HTTP_PARSE_HEAD : HTTP_PARSE_ERROR, "%u of %u", count, limit);
            cr_assert(count <= limit ? message.header_count == count : parser.fault == HTTP_FAULT_TOO_MANY);
        }
    }
}

Test(response, says_what_it_is) {
    struct parse *parse = parse_all_ways(RESPONSE, bytes_of_string("HTTP/1.1 404 Not  Found\r\nA: b\r\n\r\nbody"));
    cr_assert_eq(parse->message.status, 404);
    cr_assert_eq(parse->message.minor, 1);
    assert_span(parse, parse->message.reason_phrase, "Not  Found");
    assert_span(parse, (struct http_span){parse->message.head_size, 4}, "body");
    parse_free(parse);
    parse = parse_all_ways(RESPONSE, bytes_of_string("HTTP/1.0 200\r\n\r\n"));
    cr_assert_eq(parse->message.minor, 0);
    assert_span(parse, parse->message.reason_phrase, "");
    parse_free(parse);
}
