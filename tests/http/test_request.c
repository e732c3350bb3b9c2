#include "heads.h"

#include <criterion/criterion.h>
#include <stdio.h>

struct request_case {
    struct bytes head;
    unsigned status; /* 0: accepted */
};

#define CASE(status, text)                                                                                                  \
    { LITERAL(text), status }

/* The start line, then Host. */
#define LINE(status, text) CASE(status, text "\r\nHost: a\r\n\r\n")
/* A POST with these header lines. */
#define FIELDS(status, text) CASE(status, "POST / HTTP/1.1\r\nHost: a\r\n" text "\r\n\r\n")

static void check_cases(const struct request_case *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct parse *parse = parse_all_ways(REQUEST, cases[i].head);
        enum http_result expected = cases[i].status == 0 ? HTTP_PARSE_HEAD : HTTP_PARSE_ERROR;
        cr_expect_eq(parse->result, expected, "result %d (%u %s), expected status %u: %.*s", (int)parse->result,
                     parse->parser.error_status, parse->parser.error == NULL ? "" : parse->parser.error, cases[i].status,
                     (int)cases[i].head.size, (const char *)cases[i].head.data);
        cr_expect_eq(parse->parser.error_status, cases[i].status, "%u (%s), expected %u: %.*s", parse->parser.error_status,
                     parse->parser.error == NULL ? "" : parse->parser.error, cases[i].status, (int)cases[i].head.size,
                     (const char *)cases[i].head.data);
        if (parse->result == HTTP_PARSE_ERROR) {
            cr_expect_not_null(parse->parser.error);
            cr_expect_eq(http_parser_head(&parse->parser, cases[i].head), HTTP_PARSE_ERROR, "an error stays");
        }
        parse_free(parse);
    }
}

#define CHECK_CASES(cases) check_cases(cases, sizeof(cases) / sizeof(cases)[0])

Test(request, start_lines) {
    static const struct request_case cases[] = {
        LINE(0, "GET / HTTP/1.1"),
        LINE(0, "GET /a?b=c&d=%20/;x HTTP/1.1"),
        LINE(0, "GET //b/../c HTTP/1.1"),
        LINE(0, "GET /\"<>\\^`{|} HTTP/1.1"),
        LINE(0, "PATCH / HTTP/1.0"),
        LINE(0, "M-SEARCH / HTTP/1.1"),
        LINE(0, "\r\nGET / HTTP/1.1"),
        LINE(400, "\r\n\r\nGET / HTTP/1.1"),
        LINE(400, "\nGET / HTTP/1.1"),
        LINE(400, "\rGET / HTTP/1.1"),
        LINE(400, "\r\n\nGET / HTTP/1.1"),
        LINE(400, " GET / HTTP/1.1"),
        LINE(400, "GET  / HTTP/1.1"),
        LINE(400, "GET /  HTTP/1.1"),
        LINE(400, "GET / HTTP/1.1 "),
        LINE(400, "GET\t/ HTTP/1.1"),
        LINE(400, "GET /\tHTTP/1.1"),
        LINE(400, "GET /"),
        LINE(400, "GET / "),
        LINE(400, "GET HTTP/1.1"),
        LINE(400, "GET /a b HTTP/1.1"),
        LINE(400, "GET / http/1.1"),
        LINE(400, "GET / HTTP/1.1x"),
        LINE(400, "GET / HTTP/1.10"),
        LINE(400, "GET / HTTP/11.1"),
        LINE(400, "GET / HTTP/01.1"),
        LINE(400, "GET / HTTP/1"),
        LINE(400, "GET / HTTP/1,1"),
        LINE(400, "GET / HTTPS/1.1"),
        LINE(400, "GET / HTTP /1.1"),
        LINE(400, "OPTIONS / RTSP/1.0"),
        LINE(400, "DESCRIBE / RTSP/1.0"),
        LINE(400, "GET / HTTP/ 1.1"),
        LINE(400, "GET / HTTP/1.1\r"),
        LINE(400, "GET / HTTP/-1.1"),
        LINE(400, "GET / HTTP/1.+"),
        LINE(400, "GET / HTTP/A.1"),
        LINE(400, "GET /\x0bHTTP/1.1"),
        LINE(400, "GET /\xa0HTTP/1.1"),
        LINE(400, "GET\x0b/ HTTP/1.1"),
        LINE(400, "GET\xc2\xa0/ HTTP/1.1"),
        LINE(400, "\xef\xbb\xbfGET / HTTP/1.1"),
        LINE(400, "GET:/ HTTP/1.1"),
        LINE(400, "GET, POST / HTTP/1.1"),
        LINE(400, "\"GET\" / HTTP/1.1"),
        LINE(400, "GET / HTTP/1.1 HTTP/1.1"),
        LINE(400, "GET"),
        CASE(400, "GET \r\n\r\n"),
        CASE(400, "   \r\n\r\n"),
        LINE(400, "SOURCE /x ICE/1.0"),
    };
    CHECK_CASES(cases);
}

Test(request, other_protocols_and_versions) {
    static const struct request_case cases[] = {
        LINE(505, "GET / HTTP/0.9"),
        LINE(0, "GET / HTTP/1.2"),
        LINE(0, "GET / HTTP/1.9"),
        LINE(505, "GET / HTTP/2.0"),
        LINE(505, "GET / HTTP/3.0"),
        CASE(505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        CASE(400, "GET /\r\n\r\n"),
        CASE(400, "GET / HTTP/1.1\nHost: a\n\n"),
        CASE(400, "GET / HTTP/1.1\rHost: a\r\r"),
        CASE(400, "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
        CASE(400, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
        CASE(400, "\0GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        CASE(400, "G\0ET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        LINE(0, "get / HTTP/1.1"),
        LINE(0, "FOO / HTTP/1.1"),
        LINE(0, "GETX / HTTP/1.1"),
        LINE(0, "G / HTTP/1.1"),
        LINE(400, "GET\x80 / HTTP/1.1"),
        LINE(400, "G(T / HTTP/1.1"),
    };
    CHECK_CASES(cases);
}

Test(request, no_byte_that_must_be_encoded_is_in_a_target) {
    for (unsigned c = 0; c < 256; c++) {
        char head[] = "GET /a?b HTTP/1.1\r\nHost: a\r\n\r\n";
        bool fine = c > ' ' && c < 0x7f && c != '#';
        for (size_t at = 5; at < 8; at += 2) {
            memcpy(head, "GET /a?b", 8);
            head[at] = (char)c;
            struct parse *parse = parse_all_ways(REQUEST, bytes_of(head, sizeof head - 1));
            cr_expect_eq(parse->result, fine ? HTTP_PARSE_HEAD : HTTP_PARSE_ERROR, "byte %02x", c);
            cr_expect_eq(parse->parser.error_status, fine ? 0 : 400, "byte %02x", c);
            parse_free(parse);
        }
    }
}

Test(request, only_token_characters_are_in_a_name_and_no_control_bytes_in_a_value) {
    for (unsigned c = 0; c < 256; c++) {
        char head[] = "GET / HTTP/1.1\r\nHost: a\r\nXyX: a\r\nZ: vwx\r\n\r\n";
        bool token = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c != 0 && strchr("!#$%&'*+-.^_`|~", (int)c) != NULL);
        head[26] = (char)c;
        struct parse *parse = parse_all_ways(REQUEST, bytes_of(head, sizeof head - 1));
        /* "X:X: a" is the header X with the value "X: a". */
        cr_expect_eq(parse->result, token || c == ':' ? HTTP_PARSE_HEAD : HTTP_PARSE_ERROR, "byte %02x in a name", c);
        parse_free(parse);
        head[26] = 'y';
        head[37] = (char)c;
        parse = parse_all_ways(REQUEST, bytes_of(head, sizeof head - 1));
        bool fine = (c >= ' ' && c != 0x7f) || c == '\t';
        cr_expect_eq(parse->result, fine ? HTTP_PARSE_HEAD : HTTP_PARSE_ERROR, "byte %02x in a value", c);
        parse_free(parse);
    }
}

Test(request, header_syntax) {
    static const struct request_case cases[] = {
        FIELDS(0, "A:b"),
        FIELDS(0, "A: \t b \t "),
        FIELDS(0, "A:"),
        FIELDS(0, "A:   "),
        FIELDS(0, "A: \xc3\xa9"),
        FIELDS(0, "A: b\r\nA: b"),
        FIELDS(400, "A : b"),
        FIELDS(400, "A\t: b"),
        FIELDS(400, "Content-Length : 1"),
        FIELDS(400, "Transfer-Encoding : chunked"),
        FIELDS(400, "Host : a"),
        FIELDS(400, ": b"),
        FIELDS(400, "A"),
        FIELDS(400, "A: b\r\n c"),
        FIELDS(400, "A: b\r\n\tc"),
        FIELDS(400, "A:\r\n b"),
        FIELDS(400, "A: b\nB: c"),
        FIELDS(400, "A: b\n\r\nB: c"),
        FIELDS(400, "A: b\rB: c"),
        FIELDS(400, "A: b\r\rB: c"),
        FIELDS(400, "A:\nB: c"),
        FIELDS(400, "A:\rB: c"),
        FIELDS(400, "A\r\nB: c"),
        FIELDS(400, "A: b\0"),
        FIELDS(400, "A\0: b"),
        FIELDS(400, " A: b"),
        FIELDS(400, "\tA: b"),
        FIELDS(400, "\xc3\xa9: b"),
        FIELDS(400, "(A): b"),
        CASE(400, "GET / HTTP/1.1\r\nHost: a\r\n\n"),
        CASE(400, "GET / HTTP/1.1\r\nHost: a\r\n\rX"),
        CASE(400, "GET / HTTP/1.1\nHost: a\r\n\r\n"),
    };
    CHECK_CASES(cases);
}

Test(request, content_lengths) {
    static const struct request_case cases[] = {
        FIELDS(0, "Content-Length: 0"),
        FIELDS(0, "Content-Length: 5"),
        FIELDS(0, "content-LENGTH:5 \t"),
        FIELDS(0, "Content-Length: 0005"),
        FIELDS(0, "Content-Length: 9223372036854775807"),
        FIELDS(413, "Content-Length: 9223372036854775808"),
        FIELDS(413, "Content-Length: 18446744073709551615"),
        FIELDS(400, "Content-Length: 18446744073709551616"),
        FIELDS(400, "Content-Length: 99999999999999999999999"),
        FIELDS(400, "Content-Length:"),
        FIELDS(400, "Content-Length: "),
        FIELDS(400, "Content-Length: +5"),
        FIELDS(400, "Content-Length: -5"),
        FIELDS(400, "Content-Length: 0x5"),
        FIELDS(400, "Content-Length: 5 5"),
        FIELDS(400, "Content-Length: 5,5"),
        FIELDS(400, "Content-Length: 5, 5"),
        FIELDS(400, "Content-Length: 5,"),
        FIELDS(400, "Content-Length: ,5"),
        FIELDS(400, "Content-Length: 5.0"),
        FIELDS(400, "Content-Length: 5;"),
        FIELDS(400, "Content-Length: \"5\""),
        FIELDS(400, "Content-Length: five"),
        FIELDS(400, "Content-Length: 5\x0b"),
        FIELDS(400, "Content-Length: \xd9\xa5"),
        FIELDS(400, "Content-Length: 5\r\nContent-Length: 5"),
        FIELDS(400, "Content-Length: 5\r\nContent-Length: 6"),
        FIELDS(400, "Content-Length: 5\r\ncontent-length: 5"),
        FIELDS(400, "Content-Length: 0\r\nContent-Length: 0"),
    };
    CHECK_CASES(cases);
}

Test(request, transfer_encodings) {
    static const struct request_case cases[] = {
        FIELDS(0, "Transfer-Encoding: chunked"),
        FIELDS(0, "transfer-encoding:CHUNKED "),
        FIELDS(0, "Transfer-Encoding: chunked\t"),
        FIELDS(0, "Transfer-Encoding:\tchunked"),
        FIELDS(0, "Transfer-Encoding: \t \tchUnked \t \t"),
        FIELDS(400, "Transfer-Encoding: chunked\t,"),
        FIELDS(400, "Transfer-Encoding: chunked\tchunked"),
        FIELDS(400, "Transfer-Encoding: chunked\t\r\nContent-Length: 5"),
        FIELDS(400, "Transfer-Encoding: chunked\t\r\n\tgzip"),
        FIELDS(400, "Transfer-Encoding: chunked\xa0"),
        FIELDS(400, "Transfer-Encoding: chunked\0"),
        FIELDS(400, "Transfer-Encoding: chunked, identity"),
        FIELDS(400, "Transfer-Encoding: chunked\r\nContent-Length: 5"),
        FIELDS(400, "Content-Length: 5\r\nTransfer-Encoding: chunked"),
        FIELDS(400, "Transfer-Encoding: gzip\r\nContent-Length: 5"),
        FIELDS(400, "Content-Length: 5\r\nTransfer-Encoding: identity"),
        FIELDS(400, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
        FIELDS(400, "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"),
        FIELDS(400, "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked"),
        FIELDS(400, "Transfer-Encoding: chunked, chunked"),
        FIELDS(400, "Transfer-Encoding: chunked, gzip"),
        FIELDS(400, "Transfer-Encoding: chunked,"),
        FIELDS(400, "Transfer-Encoding: , chunked"),
        FIELDS(400, "Transfer-Encoding:"),
        FIELDS(400, "Transfer-Encoding: "),
        FIELDS(400, "Transfer-Encoding: ,"),
        FIELDS(400, "Transfer-Encoding: chunked;q=1"),
        FIELDS(400, "Transfer-Encoding: \"chunked\""),
        FIELDS(400, "Transfer-Encoding: chunked\x0b"),
        FIELDS(400, "Transfer-Encoding: \x0b"
                    "chunked"),
        FIELDS(400, "Transfer-Encoding: chun\xc3\xa9"),
        FIELDS(400, "Transfer-Encoding: chunked chunked"),
        FIELDS(400, "Transfer-Encoding: chunked\r\n , identity"),
        FIELDS(501, "Transfer-Encoding: gzip, chunked"),
        FIELDS(501, "Transfer-Encoding: gzip"),
        FIELDS(501, "Transfer-Encoding: identity"),
        FIELDS(501, "Transfer-Encoding: xchunked"),
        FIELDS(501, "Transfer-Encoding: chunkedx"),
        FIELDS(501, "Transfer-Encoding: cow"),
        CASE(400, "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
        CASE(400, "POST / HTTP/1.0\r\nTransfer-Encoding: gzip\r\n\r\n"),
        CASE(0, "POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\n\r\n"),
        /* Not these headers, and never taken for them here. */
        FIELDS(0, "Content_Length: 5\r\nTransfer_Encoding: chunked"),
        FIELDS(0, "X-Transfer-Encoding: gzip"),
        FIELDS(0, "Content-Lengthy: x"),
    };
    CHECK_CASES(cases);
}

/* llhttp does not take a tab for white space here, nor a request with Upgrade for one that has a body. */
Test(request, a_chunked_body_is_one_whatever_white_space_and_upgrade_are_beside_it) {
    static const char *const fields[] = {
        "Transfer-Encoding: chunked",
        "Transfer-Encoding:\tchunked\t",
        "Transfer-Encoding: \t chunked \t",
        "Transfer-Encoding: chunked\t\r\nConnection: upgrade\r\nUpgrade: websocket",
        "Connection: upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\nTransfer-Encoding: chunked",
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        char memory[64];
        size_t left;
        struct text body = text_over(memory, sizeof memory);
        char head[256];
        snprintf(head, sizeof head, "PUT / HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n", fields[i]);
        struct parse *parse = parse_all_ways(REQUEST, bytes_of_string(head));
        cr_assert_eq(parse->result, HTTP_PARSE_HEAD, "%s", fields[i]);
        cr_assert_eq(parse->message.framing, HTTP_CHUNKED, "%s", fields[i]);
        struct bytes input = LITERAL("5\r\nhello\r\n0\r\n\r\nGET ");
        cr_assert_eq(decode(&parse->parser, input, 3, &body, &left), HTTP_PARSE_END, "%s", fields[i]);
        cr_assert(bytes_equal(text_bytes(&body), bytes_of_string("hello")), "%s", fields[i]);
        cr_assert_eq(left, 4, "%s", fields[i]);
        parse_free(parse);
    }
}

Test(request, authorities) {
    static const struct request_case cases[] = {
        CASE(400, "GET / HTTP/1.1\r\n\r\n"),
        CASE(400, "GET / HTTP/1.1\r\nX: a\r\n\r\n"),
        CASE(0, "GET / HTTP/1.0\r\n\r\n"),
        CASE(400, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
        CASE(400, "GET / HTTP/1.1\r\nHost: a\r\nhOST: b\r\n\r\n"),
        CASE(400, "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"),
        CASE(400, "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
        CASE(400, "GET / HTTP/1.1\r\nHost: \t\r\n\r\n"),
        CASE(400, "GET / HTTP/1.2\r\n\r\n"),
        CASE(400, "GET / HTTP/1.2\r\nHost:\r\n\r\n"),
        CASE(0, "GET / HTTP/1.0\r\nHost:\r\n\r\n"),
        CASE(0, "OPTIONS * HTTP/1.0\r\nHost: \r\n\r\n"),
        CASE(400, "GET / HTTP/1.0\r\nHost:\r\nHost:\r\n\r\n"),
        CASE(400, "GET / HTTP/1.0\r\nHost: u@a\r\n\r\n"),
        CASE(400, "GET / HTTP/1.0\r\nHost: :443\r\n\r\n"),
        CASE(400, "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"),
        CASE(400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
        CASE(400, "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"),
        CASE(400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
        CASE(400, "GET / HTTP/1.1\r\nHost: http://a\r\n\r\n"),
        CASE(400, "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n"),
        CASE(400, "GET / HTTP/1.1\r\nHost: \xc3\xa9\r\n\r\n"),
        CASE(0, "GET / HTTP/1.1\r\nHost: A.Example.COM.:443\r\n\r\n"),
        CASE(0, "GET / HTTP/1.1\r\nHost: [::1]:443\r\n\r\n"),
        CASE(0, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
        LINE(0, "GET http://b/ HTTP/1.1"),
        LINE(0, "GET HTTPS://b:443?x HTTP/1.1"),
        LINE(0, "GET https://[::1]:443/ HTTP/1.1"),
        LINE(400, "GET https:// HTTP/1.1"),
        LINE(400, "GET https:///x HTTP/1.1"),
        LINE(400, "GET https://?x HTTP/1.1"),
        LINE(400, "GET https://u@b/ HTTP/1.1"),
        LINE(400, "GET https://u:p@b/ HTTP/1.1"),
        LINE(400, "GET https://b:x/ HTTP/1.1"),
        LINE(400, "GET https://a%2eb/ HTTP/1.1"),
        LINE(400, "GET ftp://b/ HTTP/1.1"),
        LINE(400, "GET https:/b/ HTTP/1.1"),
        LINE(400, "GET httpsx://b/ HTTP/1.1"),
        LINE(400, "GET b HTTP/1.1"),
        LINE(400, "GET * HTTP/1.1"),
        LINE(400, "GET b:443 HTTP/1.1"),
        LINE(0, "OPTIONS * HTTP/1.1"),
        LINE(400, "OPTIONS ** HTTP/1.1"),
        LINE(400, "OPTIONS *?x HTTP/1.1"),
        LINE(0, "CONNECT b:443 HTTP/1.1"),
        LINE(400, "CONNECT / HTTP/1.1"),
        LINE(400, "CONNECT u@b:443 HTTP/1.1"),
        LINE(400, "CONNECT https://b/ HTTP/1.1"),
        CASE(400, "GET https://b/ HTTP/1.1\r\n\r\n"),
        CASE(400, "GET https://b/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
        CASE(400, "GET https://b/ HTTP/1.1\r\nHost: u@a\r\n\r\n"),
        CASE(0, "GET https://b/ HTTP/1.0\r\n\r\n"),
    };
    CHECK_CASES(cases);
}

Test(request, expectations) {
    static const struct request_case cases[] = {
        FIELDS(0, "Content-Length: 1\r\nExpect: 100-Continue"),
        FIELDS(417, "Expect: 200-ok"),
        FIELDS(417, "Expect: 100-continue, 200-ok"),
        FIELDS(417, "Expect: 100-continue\r\nExpect: 100-continue"),
        FIELDS(417, "Expect: 100-continue;x=y"),
        FIELDS(417, "Expect:"),
        CASE(0, "GET / HTTP/1.0\r\nExpect: 200-ok\r\n\r\n"),
    };
    CHECK_CASES(cases);
}

static struct parse *accept_request(const char *head) {
    struct parse *parse = parse_all_ways(REQUEST, bytes_of_string(head));
    cr_assert_eq(parse->result, HTTP_PARSE_HEAD, "%u %s: %s", parse->parser.error_status,
                 parse->parser.error == NULL ? "" : parse->parser.error, head);
    return parse;
}

Test(request, says_what_it_is) {
    struct parse *parse =
        accept_request("\r\nPOST /a?b HTTP/1.1\r\nHost: a.example:443 \r\nContent-Length: 17\r\nX:\r\n\r\nrest");
    assert_span(parse, parse->message.method, "POST");
    assert_span(parse, parse->message.target, "/a?b");
    assert_span(parse, parse->message.path, "/a?b");
    assert_span(parse, parse->message.authority, "a.example:443");
    cr_assert_eq(parse->message.minor, 1);
    cr_assert_eq(parse->message.framing, HTTP_LENGTH);
    cr_assert_eq(parse->message.content_length, 17);
    cr_assert_eq(parse->message.header_count, 3);
    cr_assert_eq(parse->message.headers[0].kind, HTTP_HEADER_HOST);
    assert_span(parse, parse->message.headers[0].name, "Host");
    assert_span(parse, parse->message.headers[2].name, "X");
    assert_span(parse, parse->message.headers[2].value, "");
    cr_assert(parse->message.keep_alive);
    cr_assert_not(parse->message.idempotent);
    cr_assert_not(parse->message.head_request);
    cr_assert_not(parse->message.absolute_form);
    cr_assert_eq(parse->message.method_kind, HTTP_METHOD_OTHER);
    assert_span(parse, (struct http_span){parse->message.head_size, 4}, "rest");
    parse_free(parse);
}

Test(request, authority_and_path_of_each_form) {
    static const struct {
        const char *line;
        const char *authority;
        const char *front;
        const char *path;
        bool absolute;
    } cases[] = {
        {"GET /x HTTP/1.1", "host", "", "/x", false},
        {"GET http://b HTTP/1.1", "b", "/", "", true},
        {"GET https://B.c:8443/x?y HTTP/1.1", "B.c:8443", "", "/x?y", true},
        {"GET HTTPS://b?y=/ HTTP/1.1", "b", "/", "?y=/", true},
        {"GET https://[2001:db8::1]/ HTTP/1.1", "[2001:db8::1]", "", "/", true},
        {"GET /https://b/ HTTP/1.1", "host", "", "/https://b/", false},
        {"OPTIONS * HTTP/1.1", "host", "", "*", false},
        {"OPTIONS https://b HTTP/1.1", "b", "*", "", true},
        {"OPTIONS https://b?y HTTP/1.1", "b", "/", "?y", true},
        {"CONNECT b:443 HTTP/1.1", "b:443", "", "", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char head[256];
        snprintf(head, sizeof head, "%s\r\nHost: host\r\n\r\n", cases[i].line);
        struct parse *parse = accept_request(head);
        assert_span(parse, parse->message.authority, cases[i].authority);
        assert_span(parse, parse->message.path, cases[i].path);
        cr_assert_str_eq(http_path_front(&parse->message, parse->head), cases[i].front, "%s", cases[i].line);
        cr_assert_eq(parse->message.absolute_form, cases[i].absolute, "%s", cases[i].line);
        parse_free(parse);
    }
}

Test(request, flags) {
    static const struct {
        const char *head;
        bool keep_alive, expect, idempotent;
        uint32_t names;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", true, false, true, 0},
        {"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false, false, true, 0},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, CLOSE\r\n\r\n", false, false, true, 0},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: a\r\nConnection: ,, close ,\r\n\r\n", false, false, true, 1},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n", true, false, true, 1},
        {"GET / HTTP/1.1\r\nHost: a\r\nProxy-Connection: close\r\n\r\n", true, false, true, 0},
        {"GET / HTTP/1.0\r\n\r\n", false, false, true, 0},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true, false, true, 0},
        {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false, false, true, 0},
        {"GET / HTTP/1.0\r\nKeep-Alive: 5\r\n\r\n", false, false, true, 0},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", true, false, true, 0},
        {"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n", true, false, true, 0},
        {"GET / HTTP/1.0\r\nUpgrade: h2c\r\n\r\n", false, false, true, 0},
        {"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", true, false, false, 0},
        {"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", true, true, false, 0},
        {"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n", true, true, false, 0},
        {"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n", true, false, true, 0},
        {"DELETE / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n", true, false, true, 0},
        {"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", false, false, false, 0},
        {"PATCH / HTTP/1.1\r\nHost: a\r\nConnection: X-A, te, X-B\r\n\r\n", true, false, false, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parse *parse = accept_request(cases[i].head);
        cr_expect_eq(parse->message.keep_alive, cases[i].keep_alive, "%s", cases[i].head);
        cr_expect_eq(parse->message.expect_continue, cases[i].expect, "%s", cases[i].head);
        cr_expect_eq(parse->message.idempotent, cases[i].idempotent, "%s", cases[i].head);
        cr_expect_eq(parse->message.connection_names, cases[i].names, "%s", cases[i].head);
        cr_expect_eq(parse->message.head_request, cases[i].head[0] == 'H', "%s", cases[i].head);
        parse_free(parse);
    }
}

Test(request, connection_may_name_a_few_headers_only) {
    for (size_t extra = 0; extra < 2; extra++) {
        char buffer[2048];
        struct text head = text_over(buffer, sizeof buffer);
        text_append_string(&head, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close");
        for (size_t i = 0; i < HTTP_CONNECTION_NAMES_MAX + extra; i++) {
            text_append_format(&head, ", x-%zu", i);
        }
        text_append_string(&head, "\r\n\r\n");
        struct parse *parse = parse_whole(REQUEST, text_bytes(&head));
        cr_assert_eq(parse->result, extra == 0 ? HTTP_PARSE_HEAD : HTTP_PARSE_ERROR);
        cr_assert_eq(parse->parser.error_status, extra == 0 ? 0 : 400);
        parse_free(parse);
    }
}
