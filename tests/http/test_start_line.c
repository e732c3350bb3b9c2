#include "heads.h"
#include "http/syntax.h"

#include <criterion/criterion.h>

static struct parse *parse_line(const char *line) {
    char head[1024];
    struct text text = text_over(head, sizeof head);
    text_append_string(&text, line);
    text_append_string(&text, "\r\nHost: a\r\n\r\n");
    cr_assert_not(text.overflow);
    return parse_all_ways(REQUEST, text_bytes(&text));
}

Test(start_line, any_token_is_a_method) {
    static const struct {
        const char *method;
        enum http_method kind;
        bool idempotent;
    } cases[] = {
        {"GET", HTTP_METHOD_OTHER, true},       {"HEAD", HTTP_METHOD_HEAD, true},
        {"OPTIONS", HTTP_METHOD_OPTIONS, true}, {"TRACE", HTTP_METHOD_TRACE, true},
        {"PUT", HTTP_METHOD_OTHER, true},       {"DELETE", HTTP_METHOD_OTHER, true},
        {"PROPFIND", HTTP_METHOD_OTHER, true},  {"QUERY", HTTP_METHOD_OTHER, true},
        {"POST", HTTP_METHOD_OTHER, false},     {"PATCH", HTTP_METHOD_OTHER, false},
        {"get", HTTP_METHOD_OTHER, false},      {"Head", HTTP_METHOD_OTHER, false},
        {"HEADS", HTTP_METHOD_OTHER, false},    {"HEA", HTTP_METHOD_OTHER, false},
        {"connect", HTTP_METHOD_OTHER, false},  {"VERSION-CONTROL", HTTP_METHOD_OTHER, false},
        {"BREW", HTTP_METHOD_OTHER, false},     {"PRI", HTTP_METHOD_OTHER, false},
        {"DESCRIBE", HTTP_METHOD_OTHER, false}, {"SOURCE", HTTP_METHOD_OTHER, false},
        {"G", HTTP_METHOD_OTHER, false},        {"!#$%&'*+-.^_`|~09azAZ", HTTP_METHOD_OTHER, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[128];
        struct text text = text_over(line, sizeof line - 1);
        text_append_format(&text, "%s /a HTTP/1.1", cases[i].method);
        line[text.size] = '\0';
        struct parse *parse = parse_line(line);
        cr_assert_eq(parse->result, HTTP_PARSE_HEAD, "%s: %s", cases[i].method, parse->parser.error);
        assert_span(parse, parse->message.method, cases[i].method);
        assert_span(parse, parse->message.target, "/a");
        cr_expect_eq(parse->message.method_kind, cases[i].kind, "%s", cases[i].method);
        cr_expect_eq(parse->message.idempotent, cases[i].idempotent, "%s", cases[i].method);
        cr_expect_eq(parse->message.head_request, cases[i].kind == HTTP_METHOD_HEAD, "%s", cases[i].method);
        parse_free(parse);
    }
}

Test(start_line, every_byte_that_is_no_token_character_ends_a_method) {
    for (unsigned c = 0; c < 256; c++) {
        char head[] = "G?T / HTTP/1.1\r\nHost: a\r\n\r\n";
        bool token = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c != 0 && strchr("!#$%&'*+-.^_`|~", (int)c) != NULL);
        head[1] = (char)c;
        struct parse *parse = parse_all_ways(REQUEST, bytes_of(head, sizeof head - 1));
        cr_expect_eq(parse->result, token ? HTTP_PARSE_HEAD : HTTP_PARSE_ERROR, "byte %02x", c);
        cr_expect_eq(parse->parser.error_status, token ? 0 : 400, "byte %02x", c);
        parse_free(parse);
    }
}

Test(start_line, a_method_ends_at_its_limit) {
    for (size_t size = HTTP_METHOD_MAX - 1; size <= HTTP_METHOD_MAX + 1; size++) {
        char line[256];
        memset(line, 'M', size);
        memcpy(line + size, " / HTTP/1.1", 12);
        struct parse *parse = parse_line(line);
        cr_assert_eq(parse->result, size <= HTTP_METHOD_MAX ? HTTP_PARSE_HEAD : HTTP_PARSE_ERROR);
        cr_assert_eq(parse->parser.error_status, size <= HTTP_METHOD_MAX ? 0 : 501);
        parse_free(parse);
        line[size] = '\0';
        cr_assert_eq(http_is_method(line), size <= HTTP_METHOD_MAX);
    }
    cr_assert_not(http_is_method(""));
    cr_assert_not(http_is_method("G T"));
}

Test(start_line, minor_versions_above_ours_are_read_as_ours) {
    for (unsigned major = 0; major < 10; major++) {
        for (unsigned minor = 0; minor < 10; minor++) {
            char line[32];
            struct text text = text_over(line, sizeof line - 1);
            text_append_format(&text, "GET / HTTP/%u.%u", major, minor);
            line[text.size] = '\0';
            struct parse *parse = parse_line(line);
            cr_expect_eq(parse->parser.error_status, major == 1 ? 0 : 505, "%s", line);
            cr_expect(major != 1 || parse->message.minor == (minor == 0 ? 0 : 1), "%s", line);
            parse_free(parse);
        }
    }
}

Test(start_line, content_means_nothing_to_some_methods) {
    static const struct {
        const char *method;
        bool unexpected;
    } cases[] = {{"GET", true},   {"HEAD", true},  {"DELETE", true},  {"OPTIONS", true},  {"TRACE", true},
                 {"POST", false}, {"PUT", false},  {"PATCH", false},  {"QUERY", false},   {"SEARCH", false},
                 {"get", false},  {"BREW", false}, {"REPORT", false}, {"PROPFIND", false}};
    static const struct {
        const char *framing;
        bool content;
    } framings[] = {{"", false},
                    {"Content-Length: 0\r\n", false},
                    {"Content-Length: 1\r\n", true},
                    {"Transfer-Encoding: chunked\r\n", true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t j = 0; j < sizeof framings / sizeof framings[0]; j++) {
            char head[256];
            struct text text = text_over(head, sizeof head - 1);
            text_append_format(&text, "%s / HTTP/1.1\r\nHost: a\r\n%s\r\n", cases[i].method, framings[j].framing);
            head[text.size] = '\0';
            struct parse *parse = parse_whole(REQUEST, bytes_of_string(head));
            cr_assert_eq(parse->result, HTTP_PARSE_HEAD, "%s", head);
            cr_expect_eq(http_content_may_be_left(&parse->message), cases[i].unexpected && framings[j].content, "%s", head);
            parse_free(parse);
        }
    }
}

/* The writer of the refusal must know whether the request is one that gets no body. */
Test(start_line, a_method_is_known_although_the_rest_is_bad) {
    static const struct {
        const char *head;
        bool head_request;
    } cases[] = {
        {"HEAD  / HTTP/1.1\r\n", true},         {"HEAD /\r\n", true},
        {"HEAD / HTTP/2.0\r\n", true},          {"HEAD / HTTP/1.1\r\n\r\n", true},
        {"HEAD / HTTP/1.1\r\nA : b\r\n", true}, {"HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", true},
        {"HEAD\t/ HTTP/1.1\r\n", false},        {"HEAD\r\n", false},
        {"GET / HTTP/1.1\r\n\r\n", false},      {"HEADER / HTTP/1.1\r\n\r\n", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parse *parse = parse_all_ways(REQUEST, bytes_of_string(cases[i].head));
        cr_expect_eq(parse->result, HTTP_PARSE_ERROR, "%s", cases[i].head);
        cr_expect_eq(parse->message.head_request, cases[i].head_request, "%s", cases[i].head);
        parse_free(parse);
    }
}
