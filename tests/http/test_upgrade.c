#include "heads.h"
#include "http/upgrade.h"

#include <criterion/criterion.h>

/* Returns the offer that is passed on for a request with these lines. */
static const char *offer_of(const char *start_line, const char *lines) {
    static char offered[HTTP_UPGRADE_MAX + 1];
    char buffer[2048];
    struct text head = text_over(buffer, sizeof buffer);
    text_append_format(&head, "%s\r\nHost: a\r\n%s\r\n", start_line, lines);
    struct parse *parse = parse_all_ways(REQUEST, text_bytes(&head));
    cr_assert_eq(parse->result, HTTP_PARSE_HEAD, "%s", lines);
    struct text out = text_over(offered, HTTP_UPGRADE_MAX);
    http_upgrade_offer(&out, &parse->message, parse->head);
    cr_assert_not(out.overflow);
    offered[out.size] = '\0';
    parse_free(parse);
    return offered;
}

#define GET  "GET /chat HTTP/1.1"
#define POST "POST /exec HTTP/1.1"
#define ASKS "Connection: Upgrade\r\n"
/* 32 bytes with ", " behind them. */
#define LONG "abcdefghijklmnopqrstuvwxyz0123"

Test(upgrade, offers_what_may_be_taken_up) {
    static const struct {
        const char *start_line;
        const char *lines;
        const char *offer;
    } cases[] = {
        {GET, ASKS "Upgrade: websocket\r\n", "websocket"},
        {GET, "connection: keep-alive, uPGRADE\r\nUPGRADE: WebSocket\r\n", "WebSocket"},
        {GET, "Connection: close\r\n" ASKS "Upgrade: websocket\r\n", "websocket"},
        {GET, ASKS "Upgrade: SPDY/3.1\r\n", "SPDY/3.1"},
        {GET, ASKS "Upgrade: a,b/1 ,, c\r\nUpgrade: d\r\n", "a, b/1, c, d"},
        {GET, ASKS "Upgrade:" LONG ", " LONG "\r\n", LONG ", " LONG},
        {POST, ASKS "Upgrade: tcp\r\nContent-Length: 5\r\n", "tcp"},
        {POST, ASKS "Upgrade: tcp\r\nTransfer-Encoding: chunked\r\n", "tcp"},
        /* The offer does not count. */
        {GET, "Upgrade: websocket\r\n", ""},
        {GET, ASKS, ""},
        {GET, ASKS "Upgrade: \r\n", ""},
        {GET, ASKS "Upgrade_: websocket\r\n", ""},
        {GET, "Connection: upgrade_\r\nUpgrade: websocket\r\n", ""},
        {GET, ASKS "Upgrade: websocket\r\nContent-Length: 5\r\n", ""},
        {GET, ASKS "Upgrade:" LONG ", " LONG "x, y\r\n", ""},
        {"GET /chat HTTP/1.0", ASKS "Upgrade: websocket\r\n", ""},
        {"CONNECT a:443 HTTP/1.1", ASKS "Upgrade: websocket\r\n", ""},
        /* Protocols that would carry requests past this server. */
        {GET, "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n", ""},
        {GET, ASKS "Upgrade: H2C\r\n", ""},
        {GET, ASKS "Upgrade: h2c-14\r\n", ""},
        {GET, ASKS "Upgrade: h2\r\nUpgrade: h3\r\n", ""},
        {GET, ASKS "Upgrade: HTTP/2.0\r\n", ""},
        {GET, ASKS "Upgrade: TLS/1.2\r\n", ""},
        {GET, ASKS "Upgrade: TLS/1.0, HTTP/1.1, websocket, h2c\r\n", "websocket"},
        /* No protocols at all: nobody knows what an origin reads there. */
        {GET, ASKS "Upgrade: \"h2c\"\r\n", ""},
        {GET, ASKS "Upgrade: websocket;q=1\r\n", ""},
        {GET, ASKS "Upgrade: websocket h2c\r\n", ""},
        {GET, ASKS "Upgrade: a/\r\nUpgrade: /1, /\r\n", ""},
        {GET, ASKS "Upgrade: a/1/2\r\n", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *offer = offer_of(cases[i].start_line, cases[i].lines);
        cr_expect_str_eq(offer, cases[i].offer, "%s: \"%s\", not \"%s\"", cases[i].lines, offer, cases[i].offer);
    }
}

static struct parse *parse_switch(const char *lines) {
    char buffer[1024];
    struct text head = text_over(buffer, sizeof buffer);
    text_append_format(&head, "HTTP/1.1 101 Switching Protocols\r\n%s\r\n", lines);
    struct parse *parse = calloc(1, sizeof *parse);
    cr_assert_not_null(parse);
    parse->message.headers = parse->headers;
    parse->message.headers_max = HTTP_HEADERS_MAX;
    http_parser_init_response(&parse->parser, &parse->message, HEAD_MAX, false);
    parse->parser.takes_switch = true;
    parse->head = malloc(head.size);
    cr_assert_not_null(parse->head);
    memcpy(parse->head, head.data, head.size);
    parse->result = http_parser_head(&parse->parser, bytes_of(parse->head, head.size));
    cr_assert_eq(parse->result, HTTP_PARSE_HEAD, "%s", lines);
    return parse;
}

Test(upgrade, goes_on_with_what_was_offered) {
    static const struct {
        const char *lines;
        const char *offer;
        bool fits;
        bool websocket;
    } cases[] = {
        {ASKS "Upgrade: websocket\r\n", "websocket", true, true},
        {ASKS "Upgrade: WebSocket\r\n", "websocket", true, true},
        {"Upgrade: websocket\r\n", "websocket", true, true},
        {ASKS "Upgrade: b/1\r\n", "a, b/1, c", true, false},
        {ASKS "Upgrade: a\r\nUpgrade: c\r\n", "a, b/1, c", true, false},
        {ASKS, "websocket", false, false},
        {ASKS "Upgrade:\r\n", "websocket", false, false},
        {ASKS "Upgrade: h2c\r\n", "websocket", false, false},
        {ASKS "Upgrade: websocket, h2c\r\n", "websocket", false, true},
        {ASKS "Upgrade: b/2\r\n", "a, b/1, c", false, false},
        {ASKS "Upgrade: websocket\r\n", "", false, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct parse *parse = parse_switch(cases[i].lines);
        cr_expect_eq(http_upgrade_is_of(&parse->message, parse->head, bytes_of_string(cases[i].offer)), cases[i].fits, "%s",
                     cases[i].lines);
        cr_expect_eq(http_upgrade_names(&parse->message, parse->head, "websocket"), cases[i].websocket, "%s",
                     cases[i].lines);
        parse_free(parse);
    }
}

Test(upgrade, is_written_for_the_client) {
    char buffer[1024];
    struct text out = text_over(buffer, sizeof buffer);
    struct http_stamp stamp = {.date = bytes_of_string("now"), .request_id = bytes_of_string("id")};
    struct parse *parse = parse_switch("Upgrade: websocket\r\nConnection: Upgrade, X-Hop\r\nX-Hop: 1\r\n"
                                       "Content-Length: 5\r\nSec-WebSocket-Accept: abc=\r\n");
    http_write_response(&out, &parse->message, parse->head, HTTP_NO_BODY, 1, true, false, &stamp);
    const char *expected = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: abc=\r\n"
                           "Date: now\r\nX-Request-Id: id\r\nConnection: Upgrade\r\n\r\n";
    cr_expect(bytes_equal(text_bytes(&out), bytes_of_string(expected)), "%.*s", (int)out.size, out.data);
    parse_free(parse);
}

Test(upgrade, offers_the_protocol_of_an_extended_connect) {
    static const struct {
        const char *protocol;
        const char *offer;
    } cases[] = {
        {"websocket", "websocket"}, {"test/1", "test/1"}, {"h2c", ""}, {"HTTP/1.1", ""}, {"TLS", ""}, {"a, b", ""},
        {LONG LONG LONG, ""},       {"a b", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char memory[HTTP_UPGRADE_MAX];
        struct text out = text_over(memory, sizeof memory);
        const struct http_message request = {.http2 = true,
                                             .minor = 1,
                                             .method_kind = HTTP_METHOD_CONNECT,
                                             .protocol = {0, (uint32_t)strlen(cases[i].protocol)}};
        http_upgrade_offer(&out, &request, cases[i].protocol);
        cr_expect(bytes_equal(text_bytes(&out), bytes_of_string(cases[i].offer)), "%s", cases[i].protocol);
    }
}
