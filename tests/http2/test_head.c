#include "http2/head.h"

#include <criterion/criterion.h>

static struct http2_memory memory;
static struct http2_head head;
static struct http_header headers[3];
static struct http_message message = {.headers = headers, .headers_max = 3};

static bool add(const char *name, const char *value) {
    return http2_head_add(&head, &memory, bytes_of_string(name), bytes_of_string(value));
}

static bool is(struct http_span span, const char *expected) {
    return bytes_equal(http_view(head.arena.data, span), bytes_of_string(expected));
}

Test(head, grows_and_is_used_again) {
    static char value[5000];
    memset(value, 'v', sizeof value - 1);
    for (unsigned round = 0; round < 3; round++) {
        http2_head_begin(&head, &message, 10000);
        cr_assert_eq(message.header_count, 0);
        cr_assert(message.http2 && message.minor == 1 && message.headers_max == 3);
        cr_assert(add("a", "b") && add("c", value));
        cr_assert(is(headers[0].name, "a") && is(headers[0].value, "b") && is(headers[1].value, value));
    }
    http2_head_release(&head, &memory);
    cr_assert_eq(memory.used, 0);
}

Test(head, counts_headers) {
    http2_head_begin(&head, &message, 10000);
    cr_assert(add("a", "") && add("b", "") && add("c", "") && !head.too_many);
    cr_assert(add("d", "") && head.too_many);
    cr_assert_eq(message.header_count, 3);
    http2_head_release(&head, &memory);
}

Test(head, counts_bytes) {
    http2_head_begin(&head, &message, 20);
    struct bytes name = bytes_of_string("name");
    cr_assert(http2_head_count(&head, name, name));
    cr_assert_not(http2_head_count(&head, name, bytes_of_string("v")));
    cr_assert(head.too_large && !http2_head_is_hopeless(&head));
    for (unsigned i = 0; i < 5; i++) {
        cr_assert_not(http2_head_is_hopeless(&head));
        cr_assert_not(http2_head_count(&head, name, name));
    }
    cr_assert(http2_head_is_hopeless(&head));
}

Test(head, crumbs) {
    http2_head_begin(&head, &message, 1000);
    cr_assert(http2_head_join_crumbs(&head, &memory));
    cr_assert_eq(message.header_count, 0);
    cr_assert(http2_head_add_crumb(&head, &memory, bytes_of_string("a=b")));
    cr_assert(http2_head_add_crumb(&head, &memory, bytes_of(NULL, 0)));
    cr_assert(http2_head_add_crumb(&head, &memory, bytes_of_string("c=d")));
    cr_assert(http2_head_join_crumbs(&head, &memory));
    cr_assert(is(headers[0].name, "cookie") && is(headers[0].value, "a=b; c=d"));
    http2_head_release(&head, &memory);
    cr_assert_eq(memory.used, 0);
}

Test(head, trailers) {
    http2_head_begin(&head, NULL, 1000);
    cr_assert(http2_head_add_trailer(&head, &memory, bytes_of_string("a"), bytes_of_string("b")));
    cr_assert(http2_head_add_trailer(&head, &memory, bytes_of_string("c"), bytes_of(NULL, 0)));
    cr_assert(bytes_equal(http2_head_bytes(&head), bytes_of_string("a: b\r\nc: \r\n")));
    http2_head_release(&head, &memory);
}

static bool frame(const char *length, bool end) {
    http2_head_begin(&head, &message, 1000);
    cr_assert(length == NULL || add("content-length", length));
    headers[0].kind = HTTP_HEADER_CONTENT_LENGTH;
    return http2_head_frame(&head, end);
}

Test(head, framing) {
    cr_assert(frame(NULL, true) && message.framing == HTTP_NO_BODY);
    cr_assert(frame(NULL, false) && message.framing == HTTP_CHUNKED);
    cr_assert(frame("0", true) && message.framing == HTTP_LENGTH && message.content_length == 0);
    cr_assert(frame("123", false) && message.framing == HTTP_LENGTH && message.content_length == 123);
    cr_assert(frame("000000000000000000000000000123", false) && message.content_length == 123);
    cr_assert(frame("9000000000000000000", false) && message.content_length == 9000000000000000000);
    cr_assert_not(frame("", false));
    cr_assert_not(frame("-1", false));
    cr_assert_not(frame("1x", false));
    cr_assert_not(frame("9999999999999999999", false));
    cr_assert_not(frame("99999999999999999999999999999", false));
    http2_head_release(&head, &memory);
}
