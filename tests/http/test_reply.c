#include "heads.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const char date[] = "Sun, 06 Nov 1994 08:49:37 GMT";

static const struct http_reply denial = {
    .status = 403, .content_type = "application/json", .body = LITERAL("{}"), .keep_alive = true, .to_head = true};

static const unsigned statuses[] = {200, 400, 403, 405, 408, 413, 414, 417, 421, 431, 500, 501, 502, 503, 504, 505};

Test(reply, is_a_response_that_our_own_parser_takes) {
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        char buffer[2048];
        size_t left;
        struct text reply = text_over(buffer, sizeof buffer);
        char decoded[1024];
        struct text body = text_over(decoded, sizeof decoded);
        const char *text = http_status_text(statuses[i]);
        cr_assert_eq((unsigned)atoi(text), statuses[i]);
        http_write_reply(&reply,
                         &(struct http_reply){.status = statuses[i],
                                              .content_type = "text/plain",
                                              .stamp = {.date = bytes_of_string(date), .request_id = bytes_of_string("id")},
                                              .fields = "Allow: GET\r\n",
                                              .body = bytes_of_string(text),
                                              .keep_alive = i % 2 == 0});
        cr_assert_not(reply.overflow);
        struct parse *parse = parse_all_ways(RESPONSE, text_bytes(&reply));
        cr_assert_eq(parse->result, HTTP_PARSE_HEAD);
        cr_assert_eq(parse->message.status, statuses[i]);
        cr_assert_eq(parse->message.keep_alive, i % 2 == 0);
        struct bytes rest = bytes_of(reply.data + parse->message.head_size, reply.size - parse->message.head_size);
        cr_assert_eq(decode(&parse->parser, rest, 7, &body, &left), HTTP_PARSE_END);
        cr_assert_eq(left, 0);
        cr_assert(bytes_equal(text_bytes(&body), bytes_of_string(text)));
        assert_span(parse, http_find_header(&parse->message, parse->head, "Cache-Control")->value, "no-store");
        assert_span(parse, http_find_header(&parse->message, parse->head, "Date")->value, date);
        assert_span(parse, http_find_header(&parse->message, parse->head, "X-Request-Id")->value, "id");
        assert_span(parse, http_find_header(&parse->message, parse->head, "Allow")->value, "GET");
        parse_free(parse);
    }
}

Test(reply, to_head_has_no_body) {
    char buffer[512];
    struct text reply = text_over(buffer, sizeof buffer);
    http_write_reply(&reply, &denial);
    cr_assert(bytes_equal(text_bytes(&reply),
                          bytes_of_string("HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
                                          "Cache-Control: no-store\r\nConnection: keep-alive\r\n\r\n")));
}

/* A rule for the pages of an origin must not have a refusal cached, or be taken for something else. */
Test(reply, keeps_the_headers_that_say_what_it_is) {
    char buffer[1024];
    struct text reply = text_over(buffer, sizeof buffer);
    struct http_reply with_rules = denial;
    with_rules.fields = "Allow: GET\r\n";
    with_rules.stamp.constant = bytes_of_string("Cache-Control: public\r\nX-Frame-Options: DENY\r\ncontent_type: a/b\r\n");
    with_rules.stamp.identity = bytes_of_string("X-You: a\r\nLocation: /\r\n");
    with_rules.stamp.connection = bytes_of_string("X-TLS: b\r\n");
    http_write_reply(&reply, &with_rules);
    cr_assert(bytes_equal(text_bytes(&reply),
                          bytes_of_string("HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
                                          "Cache-Control: no-store\r\nConnection: keep-alive\r\nAllow: GET\r\n"
                                          "X-Frame-Options: DENY\r\nX-You: a\r\nX-TLS: b\r\n\r\n")),
              "%.*s", (int)reply.size, buffer);
}

Test(reply, does_not_fit) {
    char buffer[100];
    struct text reply = text_over(buffer, sizeof buffer);
    http_write_reply(&reply, &denial);
    cr_assert(reply.overflow);
}
