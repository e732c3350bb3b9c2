#include "http/parser_state.h"
#include "http/syntax.h"
#include "http2/request.h"

#include <criterion/criterion.h>

static struct http2_memory memory;
static struct http2_head head;
static struct http_header headers[HTTP_HEADERS_MAX];
static struct http_message message = {.headers = headers, .headers_max = HTTP_HEADERS_MAX};
static struct http_refusal refusal;

static void take(const char *name, const char *value) {
    cr_assert_eq(http2_request_field(&head, &memory, bytes_of_string(name), bytes_of_string(value)), HTTP2_FIELD_TAKEN);
}

static void begin(const char *method, const char *scheme, const char *authority, const char *path) {
    http2_head_release(&head, &memory);
    http2_head_begin(&head, &message, 32 * 1024);
    take(":method", method);
    take(":scheme", scheme);
    if (authority != NULL) {
        take(":authority", authority);
    }
    take(":path", path);
}

static enum http2_verdict judge(void) {
    return http2_request_judge(&head, &memory, true, &refusal);
}

Test(request, methods_are_noted_as_in_http1) {
    begin("HEAD", "https", "a", "/");
    cr_assert_eq(judge(), HTTP2_HEAD_GOOD);
    cr_assert(message.head_request && message.method_kind == HTTP_METHOD_HEAD && message.idempotent &&
              message.content_unexpected);
    begin("POST", "https", "a", "/");
    cr_assert_eq(judge(), HTTP2_HEAD_GOOD);
    cr_assert(!message.head_request && message.method_kind == HTTP_METHOD_OTHER && !message.idempotent);
    begin("TRACE", "https", "a", "/");
    cr_assert_eq(judge(), HTTP2_HEAD_GOOD);
    cr_assert_eq(message.method_kind, HTTP_METHOD_TRACE);
    http2_head_release(&head, &memory);
}

struct host_case {
    const char *scheme;
    const char *authority;
    const char *host;
    enum http2_verdict verdict;
};

Test(request, host_against_authority) {
    static const struct host_case cases[] = {
        {"https", "a", "a", HTTP2_HEAD_GOOD},
        {"https", "a", "A", HTTP2_HEAD_GOOD},
        {"https", "a:443", "a", HTTP2_HEAD_GOOD},
        {"https", "a", "a:", HTTP2_HEAD_GOOD},
        {"http", "a:80", "a", HTTP2_HEAD_GOOD},
        {"https", "a:80", "a", HTTP2_HEAD_MALFORMED},
        {"http", "a:443", "a", HTTP2_HEAD_MALFORMED},
        {"https", "a:8443", "a:8443", HTTP2_HEAD_GOOD},
        {"https", "a:8443", "a:8444", HTTP2_HEAD_MALFORMED},
        {"https", "a", "b", HTTP2_HEAD_MALFORMED},
        {"https", "a", "a.", HTTP2_HEAD_MALFORMED},
        {"https", "[::1]:443", "[::1]", HTTP2_HEAD_GOOD},
        {"https", "[::1]", "[::2]", HTTP2_HEAD_MALFORMED},
        {"https", NULL, "a", HTTP2_HEAD_GOOD},
        {"https", NULL, "a b", HTTP2_HEAD_REFUSED},
        {"https", "a", "a,b", HTTP2_HEAD_REFUSED},
        {"https", "a,b", "a", HTTP2_HEAD_REFUSED},
        {"https", "a%41", NULL, HTTP2_HEAD_REFUSED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin("GET", cases[i].scheme, cases[i].authority, "/");
        if (cases[i].host != NULL) {
            take("host", cases[i].host);
        }
        cr_expect_eq(judge(), cases[i].verdict, "%s %s", cases[i].authority == NULL ? "" : cases[i].authority,
                     cases[i].host == NULL ? "" : cases[i].host);
        cr_expect(cases[i].verdict != HTTP2_HEAD_REFUSED || refusal.status == 400);
    }
    http2_head_release(&head, &memory);
}

Test(request, authority_comes_from_host) {
    begin("GET", "https", NULL, "/");
    take("host", "a.example");
    cr_assert_eq(judge(), HTTP2_HEAD_GOOD);
    cr_assert(bytes_equal(http_view(head.arena.data, message.authority), bytes_of_string("a.example")));
    http2_head_release(&head, &memory);
}

Test(request, long_target_and_method) {
    static char path[HTTP_METHOD_MAX + 20000] = "/";
    memset(path + 1, 'p', 16 * 1024 - 1);
    begin("GET", "https", "a", path);
    cr_assert_eq(judge(), HTTP2_HEAD_GOOD);
    path[16 * 1024] = 'p';
    begin("GET", "https", "a", path);
    cr_assert(judge() == HTTP2_HEAD_REFUSED && refusal.status == 414);
    path[HTTP_METHOD_MAX + 1] = '\0';
    begin(path + 1, "https", "a", "/");
    cr_assert_eq(judge(), HTTP2_HEAD_GOOD);
    path[HTTP_METHOD_MAX + 1] = 'p';
    path[HTTP_METHOD_MAX + 2] = '\0';
    begin(path + 1, "https", "a", "/");
    cr_assert(judge() == HTTP2_HEAD_REFUSED && refusal.status == 501);
    http2_head_release(&head, &memory);
}

/* An origin may take a name for one that frames or routes: such headers are known by their kinds. */
Test(request, kinds_of_headers) {
    begin("GET", "https", "a", "/");
    take("x_forwarded_for", "1");
    take("content_length", "5");
    take("te", "trailers");
    cr_assert_eq(judge(), HTTP2_HEAD_GOOD);
    cr_assert_eq(headers[0].kind, HTTP_HEADER_END_TO_END);
    cr_assert_eq(headers[1].kind, HTTP_HEADER_LOOKALIKE);
    cr_assert_eq(headers[2].kind, HTTP_HEADER_HOP_BY_HOP);
    cr_assert_eq(message.framing, HTTP_NO_BODY);
    http2_head_release(&head, &memory);
}

Test(request, too_much) {
    http2_head_begin(&head, &message, 100);
    take(":method", "GET");
    static char value[500];
    memset(value, 'v', 200);
    take("a", value);
    cr_assert(head.too_large);
    memset(value, 'v', 450);
    cr_assert_eq(http2_request_field(&head, &memory, bytes_of_string("a"), bytes_of_string(value)), HTTP2_FIELD_TOO_MUCH);
    cr_assert(judge() == HTTP2_HEAD_REFUSED && refusal.status == 431);
    http2_head_release(&head, &memory);
}
