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
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", HTTP_LENGTH, 5, true, false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n", HTTP_LENGTH, 5, false, false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", HTTP_LENGTH, 0, true, false},
        {"HTTP/1.1 205 OK\r\nContent-Length: 0\r\n\r\n", HTTP_LENGTH, 0, true, false},
        {"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", HTTP_LENGTH, 5, false, false},
        {"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n", HTTP_LENGTH, 5, true, false},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_CHUNKED, 0, true, false},
        {"HTTP/1.1 200 OK\r\n\r\n", HTTP_UNTIL_CLOSE, 0, false, false},
        {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", HTTP_UNTIL_CLOSE, 0, false, false},
        {"HTTP/1.1 500 OK\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n", HTTP_UNTIL_CLOSE, 0, false, false},
        {"HTTP/1.1 100 Continue\r\n\r\n", HTTP_NO_BODY, 0, true, false},
        {"HTTP/1.1 103 Hints\r\nContent-Length: 5\r\n\r\n", HTTP_NO_BODY, 5, false, false},
        {"HTTP/1.1 204 No Content\r\n\r\n", HTTP_NO_BODY, 0, true, false},
        {"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", HTTP_NO_BODY, 0, true, false},
        {"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", HTTP_NO_BODY, 5, false, false},
        {"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_NO_BODY, 0, false, false},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", HTTP_NO_BODY, 5, true, false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", HTTP_NO_BODY, 5, true, true},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_NO_BODY, 0, true, true},
        {"HTTP/1.1 200 OK\r\n\r\n", HTTP_NO_BODY, 0, true, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parse *parse = parse_all_ways(cases[i].to_head ? RESPONSE_TO_HEAD : RESPONSE, bytes_of_string(cases[i].head));
        cr_assert_eq(parse->result, HTTP_PARSE_HEAD, "%s", cases[i].head);
        cr_expect_eq(parse->message.framing, cases[i].framing, "%s", cases[i].head);
        cr_expect_eq(parse->message.content_length, cases[i].length, "%s", cases[i].head);
        cr_expect_eq(parse->message.keep_alive, cases[i].keep_alive, "%s", cases[i].head);
        parse_free(parse);
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
