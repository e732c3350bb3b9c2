#include "base/hash.h"
#include "heads.h"
#include "http/names.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct http_removals *removals, *strip;
static char output[64 * 1024];

static void set_up(void) {
    hash_init();
    removals = http_removals_create();
    strip = http_removals_create();
    cr_assert_eq(http_removals_add_own(removals), 0);
    cr_assert_eq(http_removals_add(removals, bytes_of_string("X-Device")), 0);
    cr_assert_eq(http_removals_add(strip, bytes_of_string("X-Real-IP")), 0);
    cr_assert_eq(http_removals_add_prefix(strip, bytes_of_string("X-SSL-")), 0);
}

static void tear_down(void) {
    http_removals_free(removals);
    http_removals_free(strip);
}

TestSuite(forward, .init = set_up, .fini = tear_down);

static struct http_forwarding forwarding(void) {
    return (struct http_forwarding){
        .removals = removals,
        .client_address = bytes_of_string("2001:db8::7"),
        .request_id = bytes_of_string("0123456789abcdeffedcba9876543210"),
        .host_name = bytes_of_string("named.example"),
        .identity = bytes_of_string("X-Client-Cert-Status: valid\r\n"),
        .connection = bytes_of_string("X-Tls: 1.3\r\n"),
    };
}

#define TAIL                                                                                                                \
    "X-Client-Cert-Status: valid\r\nX-Tls: 1.3\r\nX-Forwarded-For: 2001:db8::7\r\nX-Forwarded-Proto: https\r\n"             \
    "X-Forwarded-Host: "
#define END_OF(minor) "X-Request-Id: 0123456789abcdeffedcba9876543210\r\nVia: 1." minor " sallyport\r\n"
#define MADE_ID       END_OF("1")

static struct text write_request(const char *head) {
    struct parse *parse = parse_all_ways(REQUEST, bytes_of_string(head));
    cr_assert_eq(parse->result, HTTP_PARSE_HEAD, "%s: %s", parse->parser.error == NULL ? "" : parse->parser.error, head);
    struct text out = text_over(output, sizeof output);
    struct http_forwarding with = forwarding();
    http_write_request(&out, &parse->message, parse->head, &with);
    cr_assert_not(out.overflow);
    parse_free(parse);
    return out;
}

static void assert_request(const char *head, const char *expected) {
    struct text out = write_request(head);
    cr_expect(bytes_equal(text_bytes(&out), bytes_of_string(expected)), "is\n%.*s\nexpected\n%s", (int)out.size, out.data,
              expected);
}

Test(forward, a_request) {
    assert_request("GET /a?b HTTP/1.1\r\nHost: A.example:443\r\nAccept:   x  \r\nCookie: c\r\nX-Empty:\r\n\r\n",
                   "GET /a?b HTTP/1.1\r\nHost: A.example:443\r\nAccept: x\r\nCookie: c\r\nX-Empty: \r\n" TAIL
                   "A.example:443\r\n" MADE_ID "\r\n");
}

Test(forward, an_older_request_with_a_body) {
    assert_request(
        "POST / HTTP/1.0\r\nConnection: keep-alive\r\nHost: a\r\ncontent-length: 007\r\nExpect: 100-continue\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\n" TAIL "a\r\n" END_OF("0") "Content-Length: 7\r\n\r\n");
    assert_request("POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
                   "POST / HTTP/1.1\r\nHost: a\r\n" TAIL "a\r\n" END_OF("0") "Content-Length: 0\r\n\r\n");
    assert_request("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n\r\n",
                   "POST / HTTP/1.1\r\nHost: a\r\n" TAIL "a\r\n" MADE_ID "Content-Length: 9223372036854775807\r\n\r\n");
}

Test(forward, a_request_that_names_no_host_gets_the_name_of_the_connection) {
    assert_request("GET / HTTP/1.0\r\n\r\n",
                   "GET / HTTP/1.1\r\nHost: named.example\r\n" TAIL "named.example\r\n" END_OF("0") "\r\n");
    assert_request("OPTIONS * HTTP/1.0\r\nHost:\r\n\r\n",
                   "OPTIONS * HTTP/1.1\r\nHost: named.example\r\n" TAIL "named.example\r\n" END_OF("0") "\r\n");
    assert_request("GET http://b/x HTTP/1.0\r\n\r\n", "GET /x HTTP/1.1\r\nHost: b\r\n" TAIL "b\r\n" END_OF("0") "\r\n");

    char small[512];
    struct text out = text_over(small, sizeof small);
    struct parse *parse = parse_whole(REQUEST, bytes_of_string("GET / HTTP/1.0\r\n\r\n"));
    struct http_forwarding with = {.removals = removals, .client_address = bytes_of_string("192.0.2.1")};
    http_write_request(&out, &parse->message, parse->head, &with);
    cr_expect(bytes_equal(text_bytes(&out), bytes_of_string("GET / HTTP/1.1\r\nHost: \r\nX-Forwarded-For: 192.0.2.1\r\n"
                                                            "X-Forwarded-Proto: https\r\nX-Request-Id: \r\n"
                                                            "Via: 1.0 sallyport\r\n\r\n")),
              "RFC 9112 section 3.2: there is a Host, and X-Forwarded-Host has nothing to say");
    parse_free(parse);
}

static bool is_kept_from_clients(struct bytes name) {
    for (size_t i = 0; i < http_own_name_count(); i++) {
        if (http_names_alike(name, bytes_of_string(http_own_name(i)))) {
            return true;
        }
    }
    return http_header_kind_of(name) != HTTP_HEADER_END_TO_END;
}

/* A message that came by HTTP/2 has no text; only its version tells. RFC 9110 section 2.5 gives the version its minor 0. */
Test(forward, via_of_http2) {
    struct parse *parse = parse_whole(REQUEST, bytes_of_string("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    parse->message.http2 = true;
    struct text out = text_over(output, sizeof output);
    struct http_forwarding with = forwarding();
    http_write_request(&out, &parse->message, parse->head, &with);
    output[out.size] = '\0';
    cr_assert_not_null(strstr(output, "\r\nVia: 2.0 sallyport\r\n"));
    parse_free(parse);
}

/* Via alone is added to what clients send: it says by which way a request has come. */
Test(forward, no_header_that_is_added_may_come_from_a_client) {
    static const char *const heads[] = {
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        char small[1024];
        struct text out = text_over(small, sizeof small);
        struct parse *parse = parse_whole(REQUEST, bytes_of_string(heads[i]));
        parse->message.trailers_wanted = true;
        struct http_forwarding with = forwarding();
        with.identity = with.connection = bytes_of(NULL, 0); /* names of the configuration: config/headers */
        http_write_request(&out, &parse->message, parse->head, &with);
        struct parse *written = parse_whole(REQUEST, text_bytes(&out));
        cr_assert_eq(written->result, HTTP_PARSE_HEAD);
        cr_assert_geq(written->message.header_count, 6);
        for (uint32_t j = 0; j < written->message.header_count; j++) {
            struct bytes name = http_view(written->head, written->message.headers[j].name);
            cr_expect(is_kept_from_clients(name) || bytes_equal(name, bytes_of_string(HTTP_NAME_VIA)), "%.*s",
                      (int)name.size, name.data);
        }
        parse_free(written);
        parse_free(parse);
    }
}

Test(forward, an_offer_of_another_protocol_is_made_as_it_is_told) {
    struct parse *parse =
        parse_all_ways(REQUEST, bytes_of_string("GET /c HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
                                                "Upgrade: websocket, h2c\r\nSec-WebSocket-Key: x\r\n\r\n"));
    struct text out = text_over(output, sizeof output);
    struct http_forwarding with = forwarding();
    with.upgrade = bytes_of_string("websocket");
    http_write_request(&out, &parse->message, parse->head, &with);
    const char *expected = "GET /c HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: x\r\n" TAIL "a\r\n" MADE_ID
                           "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
    cr_expect(bytes_equal(text_bytes(&out), bytes_of_string(expected)), "%.*s", (int)out.size, out.data);
    parse_free(parse);
}

Test(forward, an_extended_connect_becomes_a_get) {
    struct parse *parse =
        parse_all_ways(REQUEST, bytes_of_string("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\nX: /c?d\r\n"
                                                "sec_websocket_key: theirs\r\nSec-WebSocket-Version: 13\r\n\r\n"));
    struct text out = text_over(output, sizeof output);
    struct http_forwarding with = forwarding();
    parse->message.path = parse->message.headers[1].value;
    parse->message.protocol = parse->message.headers[2].value;
    with.upgrade = bytes_of_string("websocket");
    with.websocket_key = bytes_of_string("ours");
    http_write_request(&out, &parse->message, parse->head, &with);
    const char *expected =
        "GET /c?d HTTP/1.1\r\nHost: a:443\r\nX: /c?d\r\nSec-WebSocket-Version: 13\r\n" TAIL "a:443\r\n" MADE_ID
        "Sec-WebSocket-Key: ours\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
    cr_expect(bytes_equal(text_bytes(&out), bytes_of_string(expected)), "%.*s", (int)out.size, out.data);
    parse_free(parse);
}

Test(forward, an_offer_of_another_protocol_ends_here) {
    assert_request("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                   "HTTP2-Settings: AAMAAABkAAQAAP__\r\nX: y\r\n\r\n",
                   "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n" TAIL "a\r\n" MADE_ID "\r\n");
    assert_request("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket, TLS/1.2\r\nupgrade: x\r\n\r\n",
                   "GET / HTTP/1.1\r\nHost: a\r\n" TAIL "a\r\n" MADE_ID "\r\n");
}

Test(forward, via_goes_on_behind_the_lines_that_came) {
    assert_request("GET / HTTP/1.9\r\nHost: a\r\nVia: 1.0 one, 1.1 two\r\nvia: 2 three (x)\r\nX: y\r\n\r\n",
                   "GET / HTTP/1.1\r\nHost: a\r\nVia: 1.0 one, 1.1 two\r\nvia: 2 three (x)\r\nX: y\r\n" TAIL "a\r\n" MADE_ID
                   "\r\n");
}

Test(forward, max_forwards_of_options_is_lowered) {
    static const struct {
        const char *sent;
        const char *passed;
        enum http_hops hops;
        uint32_t left;
    } cases[] = {
        {"OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 10", "Max-Forwards: 9\r\n", HTTP_HOPS_LEFT, 10},
        {"OPTIONS * HTTP/1.1\r\nHost: a\r\nmax-FORWARDS: 0001 ", "Max-Forwards: 0\r\n", HTTP_HOPS_LEFT, 1},
        {"OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 99999999999999999999999", "Max-Forwards: 2147483646\r\n",
         HTTP_HOPS_LEFT, INT32_MAX},
        {"OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0", "Max-Forwards: 0\r\n", HTTP_HOPS_LEFT, 0},
        {"OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: x1", "Max-Forwards: x1\r\n", HTTP_HOPS_UNREADABLE, 0},
        {"OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: -1", "Max-Forwards: -1\r\n", HTTP_HOPS_UNREADABLE, 0},
        {"OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 1, 1", "Max-Forwards: 1, 1\r\n", HTTP_HOPS_UNREADABLE, 0},
        {"OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards:", "Max-Forwards: \r\n", HTTP_HOPS_UNREADABLE, 0},
        {"OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 5\r\nMax-Forwards: 0", "Max-Forwards: 5\r\nMax-Forwards: 0\r\n",
         HTTP_HOPS_UNREADABLE, 0},
        {"OPTIONS / HTTP/1.1\r\nHost: a\r\nX: y", "X: y\r\n", HTTP_HOPS_ABSENT, 0},
        {"GET / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 10", "Max-Forwards: 10\r\n", HTTP_HOPS_LEFT, 10},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t left = 0;
        char head[256];
        snprintf(head, sizeof head, "%s\r\n\r\n", cases[i].sent);
        struct parse *parse = parse_whole(REQUEST, bytes_of_string(head));
        cr_expect_eq(http_max_forwards(&parse->message, parse->head, &left), cases[i].hops, "%s", head);
        cr_expect(cases[i].hops != HTTP_HOPS_LEFT || left == cases[i].left, "%s", head);
        parse_free(parse);
        struct text out = write_request(head);
        text_append_char(&out, '\0');
        cr_expect_not_null(strstr(out.data, cases[i].passed), "%s became %s", head, out.data);
    }
}

Test(forward, hop_by_hop_headers_end_here) {
    assert_request(
        "POST / HTTP/1.1\r\nHost: a\r\nConnection: close, TE\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\nTE: trailers\r\n"
        "Trailer: X\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\nHTTP2-Settings: x\r\n"
        "Proxy-Authorization: p\r\nVia: 1.1 v\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nProxy-Authorization: p\r\nVia: 1.1 v\r\n" TAIL "a\r\n" MADE_ID
        "Transfer-Encoding: chunked\r\n\r\n");
}

/* Alone in its header: some origins know `close` in no list. */
Test(forward, content_that_no_origin_expects_ends_the_connection) {
    static const char *const methods[] = {"GET", "HEAD", "DELETE", "OPTIONS"};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        char sent[256];
        snprintf(sent, sizeof sent, "%s / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", methods[i]);
        char expected[512];
        snprintf(expected, sizeof expected,
                 "%s / HTTP/1.1\r\nHost: a\r\n" TAIL "a\r\n" MADE_ID "Content-Length: 5\r\nConnection: close\r\n\r\n",
                 methods[i]);
        assert_request(sent, expected);
        snprintf(sent, sizeof sent, "%s / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", methods[i]);
        snprintf(expected, sizeof expected,
                 "%s / HTTP/1.1\r\nHost: a\r\n" TAIL "a\r\n" MADE_ID
                 "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
                 methods[i]);
        assert_request(sent, expected);
        snprintf(sent, sizeof sent, "%s / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", methods[i]);
        snprintf(expected, sizeof expected, "%s / HTTP/1.1\r\nHost: a\r\n" TAIL "a\r\n" MADE_ID "Content-Length: 0\r\n\r\n",
                 methods[i]);
        assert_request(sent, expected);
    }

    struct parse *parse =
        parse_whole(REQUEST, bytes_of_string("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTE: trailers\r\n\r\n"));
    struct text out = text_over(output, sizeof output);
    struct http_forwarding with = forwarding();
    parse->message.trailers_wanted = true;
    http_write_request(&out, &parse->message, parse->head, &with);
    static const char expected[] =
        "GET / HTTP/1.1\r\nHost: a\r\n" TAIL "a\r\n" MADE_ID "Content-Length: 5\r\nConnection: close\r\n\r\n";
    cr_expect(bytes_equal(text_bytes(&out), bytes_of_string(expected)), "is\n%.*s", (int)out.size, out.data);
    parse_free(parse);
}

Test(forward, what_connection_names_ends_here_but_never_framing_host_or_ours) {
    assert_request(
        "POST / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nX-B: 2\r\nX-C: 3\r\nx_a: 4\r\nContent-Length: 5\r\n"
        "Connection: x-a, Host, Content-Length, X-Client-Cert-Status,, X-Forwarded-For\r\nConnection: X-C\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nX-B: 2\r\n" TAIL "a\r\n" MADE_ID "Content-Length: 5\r\n\r\n");
}

Test(forward, names_that_no_client_may_set_and_their_look_alikes) {
    assert_request(
        "GET / HTTP/1.1\r\nHost: a\r\nX-Client-Cert-Status: valid\r\nx_client_cert_status: valid\r\n"
        "X-DEVICE: 1\r\nX.Device: 2\r\nHTTP_X_DEVICE: 3\r\nX-Devices: kept\r\nX-Forwarded-For: 1.2.3.4\r\n"
        "x_forwarded_for: 1.2.3.4\r\nX-Forwarded-Proto: http\r\nX_Forwarded-Host: b\r\nContent_Length: 5\r\n"
        "Transfer_Encoding: chunked\r\nKeep_Alive: 1\r\nHost_: b\r\nTransfer.Encoding: chunked\r\nProxy: http://b\r\n"
        "Client-Cert: :MII:\r\nClient_Cert_Chain: :MII:\r\nX-Forwarded-Client-Cert: Hash=0\r\nForwarded: for=b\r\n"
        "Upgrade*: b\r\nHTTP_CONTENT_LENGTH: 9\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX-Devices: kept\r\n" TAIL "a\r\n" MADE_ID "\r\n");
}

Test(forward, a_host_may_strip_more) {
    struct parse *parse =
        parse_whole(REQUEST, bytes_of_string("GET / HTTP/1.1\r\nHost: a\r\nX-Real-IP: 1\r\nx_real.ip: 2\r\n"
                                             "X_SSL_Verify: 3\r\nX-SSL: 4\r\n\r\n"));
    struct text out = text_over(output, sizeof output);
    struct http_forwarding with = forwarding();
    with.strip = strip;
    http_write_request(&out, &parse->message, parse->head, &with);
    static const char expected[] = "GET / HTTP/1.1\r\nHost: a\r\nX-SSL: 4\r\n" TAIL "a\r\n" MADE_ID "\r\n";
    cr_expect(bytes_equal(text_bytes(&out), bytes_of_string(expected)), "is\n%.*s", (int)out.size, out.data);
    static const struct {
        const char *name;
        bool removed;
    } cases[] = {{"X-Real-IP", true},    {"x.ssl.a", true},          {"X-SSL", false},      {"Content_Length", true},
                 {"X-Request-Id", true}, {"X~Device", true},         {"X-Checksum", false}, {"Host", true},
                 {"Expires", false},     {"X_Client.Cert-SKI", true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_expect_eq(http_forwarding_removes(&with, bytes_of_string(cases[i].name)), cases[i].removed, "%s", cases[i].name);
    }
    with.strip = NULL;
    cr_expect_not(http_forwarding_removes(&with, bytes_of_string("X-Real-IP")));
    parse_free(parse);
}

Test(forward, absolute_form_becomes_origin_form_and_its_authority_the_host) {
    assert_request("GET https://b:8443/x?y HTTP/1.1\r\nHost: a\r\n\r\n",
                   "GET /x?y HTTP/1.1\r\nHost: b:8443\r\n" TAIL "b:8443\r\n" MADE_ID "\r\n");
    assert_request("GET https://b HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: b\r\n" TAIL "b\r\n" MADE_ID "\r\n");
    assert_request("GET https://b?y HTTP/1.1\r\nHost: a\r\n\r\n",
                   "GET /?y HTTP/1.1\r\nHost: b\r\n" TAIL "b\r\n" MADE_ID "\r\n");
    assert_request("OPTIONS https://b HTTP/1.1\r\nHost: a\r\n\r\n",
                   "OPTIONS * HTTP/1.1\r\nHost: b\r\n" TAIL "b\r\n" MADE_ID "\r\n");
    assert_request("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: a\r\n" TAIL "a\r\n" MADE_ID "\r\n");
}

static void assert_sent_id(const char *fields, const char *expected) {
    char head[512];
    snprintf(head, sizeof head, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n", fields);
    struct parse *parse = parse_whole(REQUEST, bytes_of_string(head));
    struct bytes id = http_request_id_sent(&parse->message, parse->head);
    cr_expect(bytes_equal(id, bytes_of_string(expected)), "%s", fields);
    parse_free(parse);
}

Test(forward, a_request_id_is_taken_when_it_is_usable) {
    char id[200];
    char fields[256];
    for (size_t size = 127; size <= 129; size++) {
        memset(id, 'i', size);
        id[size] = '\0';
        snprintf(fields, sizeof fields, "x-request-id: %s", id);
        assert_sent_id(fields, size <= 128 ? id : "");
    }
    static const char *const unusable[] = {
        "X: y",
        "X-Request-Id: a b",
        "X-Request-Id:",
        "X-Request-Id: \xc3\xa9",
        "X-Request-Id: a\tb",
        "X_Request_Id: a",
        "X-Request-Id: a\r\nX-Request-Id: b",
        "X-Request-Id: a\r\nx-request-id: a",
    };
    for (size_t i = 0; i < sizeof unusable / sizeof unusable[0]; i++) {
        assert_sent_id(unusable[i], "");
        snprintf(fields, sizeof fields, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n", unusable[i]);
        struct text out = write_request(fields);
        text_append_char(&out, '\0');
        cr_expect_not_null(strstr(out.data, "X-Request-Id: 0123456789abcdeffedcba9876543210\r\nVia"), "%s", out.data);
        cr_expect_eq(strstr(strstr(out.data, "X-Request-Id") + 5, "equest"), NULL, "only ours: %s", out.data);
    }
}

Test(forward, a_request_id_of_ours_is_all_of_its_bits_in_hex) {
    const uint64_t random[] = {0x0123456789abcdef, 0xfedcba9876543210};
    char digits[HTTP_REQUEST_ID_DIGITS];
    http_request_id_write(random, digits);
    cr_assert_eq(memcmp(digits, "0123456789abcdeffedcba9876543210", sizeof digits), 0);
}

Test(forward, what_does_not_fit_is_told_and_nothing_is_written_behind_the_end) {
    struct parse *parse =
        parse_whole(REQUEST, bytes_of_string("POST /p HTTP/1.1\r\nHost: a\r\nA: b\r\nContent-Length: 5\r\n\r\n"));
    struct http_forwarding with = forwarding();
    struct text whole = text_over(output, sizeof output);
    http_write_request(&whole, &parse->message, parse->head, &with);
    for (size_t capacity = 0; capacity <= whole.size; capacity++) {
        char small[1024];
        memset(small, '~', sizeof small);
        struct text out = text_over(small, capacity);
        http_write_request(&out, &parse->message, parse->head, &with);
        cr_assert_eq(out.overflow, capacity < whole.size);
        cr_assert(out.size <= capacity);
        cr_assert_eq(small[capacity], '~');
    }
    parse_free(parse);
}

/* A head that leaves here must mean to the next reader what it meant to us. */
Test(forward, what_is_written_reads_the_same) {
    static const char *const heads[] = {
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET https://b?x HTTP/1.1\r\nHost: a\r\nX-Device: 1\r\n\r\n",
        "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: host, y\r\nY: 1\r\n\r\n",
        "PUT /p HTTP/1.0\r\nHost: a\r\nContent-Length: 12\r\nX_Forwarded_For: 9\r\n\r\n",
        "DELETE /p HTTP/1.1\r\nHost: [::1]:1\r\nConnection: close\r\nA: \xff\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\nX-Request-Id: 5\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n",
        "DELETE / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: TE\r\nTE: trailers\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        struct parse *first = parse_whole(REQUEST, bytes_of_string(heads[i]));
        struct text out = write_request(heads[i]);
        struct parse *again = parse_all_ways(REQUEST, text_bytes(&out));
        cr_assert_eq(again->result, HTTP_PARSE_HEAD, "%s", heads[i]);
        cr_assert_eq(again->message.head_size, out.size);
        cr_assert_eq(again->message.framing, first->message.framing);
        cr_assert_eq(again->message.content_length, first->message.content_length);
        cr_assert_eq(again->message.minor, 1);
        cr_assert_eq(again->message.keep_alive, !http_content_may_be_left(&first->message));
        cr_assert(
            bytes_equal(http_view(again->head, again->message.authority), http_view(first->head, first->message.authority)));
        cr_assert(bytes_equal(http_view(again->head, again->message.method), http_view(first->head, first->message.method)));
        parse_free(first);
        parse_free(again);
    }
}

struct response_case {
    const char *head;
    const char *expected;
    uint8_t client_minor;
    bool keep_alive;
    bool to_head;
};

static void assert_response(const struct response_case *c, struct http_stamp stamp) {
    struct parse *parse = parse_all_ways(c->to_head ? RESPONSE_TO_HEAD : RESPONSE, bytes_of_string(c->head));
    cr_assert_eq(parse->result, HTTP_PARSE_HEAD, "%s", c->head);
    struct text out = text_over(output, sizeof output);
    enum http_framing framing = http_response_framing(&parse->message, c->client_minor, c->to_head);
    http_write_response(&out, &parse->message, parse->head, framing, c->client_minor, c->keep_alive, c->to_head, &stamp);
    cr_assert_not(out.overflow);
    cr_expect(bytes_equal(text_bytes(&out), bytes_of_string(c->expected)), "is\n%.*s\nexpected\n%s", (int)out.size, out.data,
              c->expected);
    parse_free(parse);
}

/* A client, or a proxy before it, must not read another length, or another end, than was read here. */
Test(forward, lookalikes_of_framing_end_here_in_responses_too) {
    static const struct response_case lookalikes = {
        "HTTP/1.1 200 OK\r\nDate: d\r\nContent_Length: 9\r\nTransfer.Encoding: chunked\r\nHTTP_CONTENT_LENGTH: "
        "7\r\nConnection_: x\r\n"
        "Keep_Alive: 1\r\n-Upgrade: h2c\r\nX_Request_Id: 5\r\nX-Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nDate: d\r\nX-Content-Length: 5\r\nContent-Length: 5\r\n\r\n", 1, true, false};
    assert_response(&lookalikes, (struct http_stamp){0});
}

Test(forward, responses) {
    static const struct response_case cases[] = {
        {"HTTP/1.1 200 Fine\r\nDate: d\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nset-cookie: a\r\nContent-Length: 5\r\n\r\n",
         "HTTP/1.1 200 Fine\r\nDate: d\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nset-cookie: a\r\nContent-Length: 5\r\n\r\n", 1,
         true, false},
        {"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 1, true, false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n",
         1, false, false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
         "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n", 0, true, false},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 1, true, false},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", 0, true,
         false},
        {"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 1, true, false},
        {"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", 0, true, false},
        {"HTTP/1.1 200\r\nConnection: close, X-A\r\nX-A: 1\r\nX-B: 2\r\nKeep-Alive: 5\r\nProxy-Connection: 1\r\nUpgrade: "
         "h2c\r\n"
         "Proxy-Authenticate: p\r\nContent-Length: 0\r\n\r\n",
         "HTTP/1.1 200 \r\nX-B: 2\r\nProxy-Authenticate: p\r\nContent-Length: 0\r\n\r\n", 1, true, false},
        {"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n", 1, true, false},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\nETag: e\r\n\r\n",
         "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\nETag: e\r\n\r\n", 1, true, false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", 1, true, true},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", 1, true, true},
        {"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n", 0, true, true},
        {"HTTP/1.1 204 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 204 OK\r\nConnection: close\r\n\r\n", 1, false, true},
        {"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n", "HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n", 1, true, false},
        {"HTTP/1.1 200 OK\r\nX-Request-Id: r\r\nContent-Length: 1\r\n\r\n",
         "HTTP/1.1 200 OK\r\nX-Request-Id: r\r\nContent-Length: 1\r\n\r\n", 1, true, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_response(&cases[i], (struct http_stamp){0});
    }
}

Test(forward, a_response_gets_what_it_lacks) {
#define TEXT "Content-Length: 0\r\n\r\n"
    static const struct response_case cases[] = {
        {"HTTP/1.1 200 OK\r\n" TEXT, "HTTP/1.1 200 OK\r\nDate: d\r\nX-Request-Id: r\r\n" TEXT, 1, true, false},
        {"HTTP/1.1 500 OK\r\ndate: x\r\n" TEXT, "HTTP/1.1 500 OK\r\ndate: x\r\nX-Request-Id: r\r\n" TEXT, 1, true, false},
        {"HTTP/1.1 304 OK\r\nx-request-id: y\r\n\r\n", "HTTP/1.1 304 OK\r\nx-request-id: y\r\nDate: d\r\n\r\n", 1, true,
         false},
        {"HTTP/1.1 404 OK\r\nDate: x\r\nX-Request-Id:\r\n" TEXT, "HTTP/1.1 404 OK\r\nDate: x\r\nX-Request-Id: \r\n" TEXT, 1,
         true, false},
        /* A header that does not pass on counts as missing. */
        {"HTTP/1.1 200 OK\r\nConnection: date\r\nDate: x\r\nX_Request_Id: y\r\nDate_: z\r\n" TEXT,
         "HTTP/1.1 200 OK\r\nDate_: z\r\nDate: d\r\nX-Request-Id: r\r\n" TEXT, 1, true, false},
        {"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n", "HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n", 1, true, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_response(&cases[i], (struct http_stamp){.date = bytes_of_string("d"), .request_id = bytes_of_string("r")});
    }
}

Test(forward, answers_gain_and_lose_headers) {
    struct http_removals *names = http_removals_create();
    cr_assert(http_removals_add(names, bytes_of_string("Server")) == 0 &&
              http_removals_add_prefix(names, bytes_of_string("X-Debug-")) == 0 &&
              http_removals_add(names, bytes_of_string("Date")) == 0);
    static const struct response_case cases[] = {
        {"HTTP/1.1 200 OK\r\nServer: s\r\nSERVER: t\r\nX_Debug_Time: 1\r\nX-Debug: 2\r\nDate: x\r\n\r\n",
         "HTTP/1.1 200 OK\r\nX-Debug: 2\r\nDate: d\r\nA: 1\r\nB: 2\r\nC: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 1, true,
         false},
        {"HTTP/1.1 404 OK\r\nserver: s\r\nContent-Length: 0\r\n\r\n",
         "HTTP/1.1 404 OK\r\nDate: d\r\nA: 1\r\nB: 2\r\nC: 3\r\nContent-Length: 0\r\n\r\n", 1, true, false},
        /* Of interim answers none is written by a server that has decided. */
        {"HTTP/1.1 103 Hints\r\nServer: s\r\n\r\n", "HTTP/1.1 103 Hints\r\nServer: s\r\n\r\n", 1, true, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_response(&cases[i], (struct http_stamp){.date = bytes_of_string("d"),
                                                       .removals = names,
                                                       .constant = bytes_of_string("A: 1\r\n"),
                                                       .identity = bytes_of_string("B: 2\r\n"),
                                                       .connection = bytes_of_string("C: 3\r\n")});
    }
    http_removals_free(names);
}

Test(forward, chunk_lines) {
    static const struct {
        size_t size;
        const char *line;
    } cases[] = {
        {1, "1\r\n"},     {15, "f\r\n"},        {16, "10\r\n"},           {255, "ff\r\n"},
        {256, "100\r\n"}, {65536, "10000\r\n"}, {0xabcdef, "abcdef\r\n"}, {SIZE_MAX, "ffffffffffffffff\r\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[HTTP_CHUNK_LINE_MAX];
        size_t size = http_chunk_line(line, cases[i].size);
        cr_assert(bytes_equal(bytes_of(line, size), bytes_of_string(cases[i].line)), "%s", cases[i].line);
    }
}
