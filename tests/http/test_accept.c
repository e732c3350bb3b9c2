#include "heads.h"
#include "http/accept.h"

#include <criterion/criterion.h>

/* With `accept` as header lines. */
static bool prefers_html(const char *accept) {
    char buffer[1024];
    struct text head = text_over(buffer, sizeof buffer);
    text_append_format(&head, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", accept);
    struct parse *parse = parse_whole(REQUEST, text_bytes(&head));
    cr_assert_eq(parse->result, HTTP_PARSE_HEAD, "%s", accept);
    bool prefers = http_prefers_html(&parse->message, parse->head);
    parse_free(parse);
    return prefers;
}

Test(accept, prefers) {
    static const struct {
        const char *accept;
        bool html;
    } cases[] = {
        {"", false},
        {"Accept:\r\n", false},
        {"Accept: */*\r\n", false},
        {"Accept: text/html\r\n", true},
        {"ACCEPT: TEXT/HTML\r\n", true},
        {"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n", true},
        {"Accept: application/json\r\n", false},
        {"Accept: application/json, text/html\r\n", false},
        {"Accept: text/html, application/json\r\n", false},
        {"Accept: text/html;q=0.9, application/json;q=0.8\r\n", true},
        {"Accept: text/html;q=0.8, application/json;q=0.9\r\n", false},
        {"Accept: text/html;q=0.801, application/json;q=0.8\r\n", true},
        {"Accept: application/json;q=0.5, text/*\r\n", true},
        {"Accept: text/html;q=0.1, text/*;q=1, */*;q=0.5\r\n", false},
        {"Accept: text/html;q=0.6, */*;q=0.5\r\n", true},
        {"Accept: text/html;q=0.9, text/html;q=0.1, application/json;q=0.5\r\n", true},
        {"Accept: application/*;q=0, */*\r\n", true},
        {"Accept: application/json;q=0, */*\r\n", true},
        {"Accept: text/html;q=0, */*\r\n", false},
        {"Accept: text/html;q=0\r\n", false},
        {"Accept: text/html; Q=1.000\r\n", true},
        {"Accept: text/html ; charset=utf-8 ; q=0.7 , application/json;q=0.6\r\n", true},
        {"Accept: text/plain, image/*\r\n", false},
        {"Accept: text/htmlx\r\n", false},
        {"Accept: text\r\n", false},
        {"Accept: */html\r\n", false},
        {"Accept: application/json\r\nAccept: text/html\r\n", false},
        {"Accept: application/json;q=0.4\r\nAccept: text/html\r\n", true},
        {"Accept: application/json;v=\"a, text/html;q=1\";q=0.1, text/html;q=0.5\r\n", true},
        {"Accept: image/png;x=\"a\\\", text/html, \"\r\n", false},
        {"Accept: image/png;x=\"unclosed, text/html\r\n", false},
        {"Accept: text/html;q=2\r\n", false},
        {"Accept: text/html;q=1.001\r\n", false},
        {"Accept: text/html;q=0.1234\r\n", false},
        {"Accept: text/html;q=\r\n", false},
        {"Accept: text/html;q=.5\r\n", false},
        {"Accept: text/html;q=-1\r\n", false},
        {"Accept: ,;,text/html,;q\r\n", true},
        {"X-Accept: text/html\r\n", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_expect_eq(prefers_html(cases[i].accept), cases[i].html, "%s", cases[i].accept);
    }
}
