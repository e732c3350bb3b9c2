#include "http2/response.h"

#include <criterion/criterion.h>

static struct http2_memory memory;
static struct http2_head head;
static struct http_header headers[3];
static struct http_message message = {.headers = headers, .headers_max = 3};
static enum http_fault fault;
static const char *error;

static void take(const char *name, const char *value) {
    cr_assert_eq(http2_response_field(&head, &memory, bytes_of_string(name), bytes_of_string(value)), HTTP2_FIELD_TAKEN);
}

static enum http2_verdict judge(const char *status, const char *name, const char *value, bool to_head, bool end) {
    http2_head_release(&head, &memory);
    http2_head_begin(&head, &message, 100);
    take(":status", status);
    if (name != NULL) {
        take(name, value);
    }
    return http2_response_judge(&head, to_head, end, &fault, &error);
}

Test(response, members) {
    cr_assert_eq(judge("207", "content-length", "5", false, false), HTTP2_HEAD_GOOD);
    cr_assert(message.status == 207 && message.framing == HTTP_LENGTH && message.content_length == 5);
    cr_assert(message.http2 && message.keep_alive && message.minor == 1 && !message.end_in_doubt);
    cr_assert_eq(message.reason_phrase.size, 0);
    http2_head_release(&head, &memory);
}

Test(response, framing) {
    cr_assert(judge("200", NULL, NULL, false, false) == HTTP2_HEAD_GOOD && message.framing == HTTP_CHUNKED);
    cr_assert(judge("200", NULL, NULL, false, true) == HTTP2_HEAD_GOOD && message.framing == HTTP_LENGTH);
    cr_assert_eq(message.content_length, 0);
    cr_assert(judge("204", NULL, NULL, false, true) == HTTP2_HEAD_GOOD && message.framing == HTTP_NO_BODY);
    cr_assert(judge("200", "content-length", "7", true, true) == HTTP2_HEAD_GOOD && message.framing == HTTP_NO_BODY);
    cr_assert(judge("304", "content-length", "7", false, true) == HTTP2_HEAD_GOOD && message.framing == HTTP_NO_BODY);
    cr_assert(judge("100", NULL, NULL, false, false) == HTTP2_HEAD_GOOD && message.framing == HTTP_NO_BODY);
    http2_head_release(&head, &memory);
}

Test(response, refused) {
    static char value[200];
    memset(value, 'v', 150);
    cr_assert(judge("200", "a", value, false, true) == HTTP2_HEAD_REFUSED && fault == HTTP_FAULT_TOO_LARGE && error != NULL);
    cr_assert(judge("200", "content-length", "x", false, false) == HTTP2_HEAD_REFUSED && fault == HTTP_FAULT_LENGTH);
    http2_head_release(&head, &memory);
    http2_head_begin(&head, &message, 100);
    for (unsigned i = 0; i < 4; i++) {
        take("a", "b");
    }
    cr_assert_eq(http2_response_judge(&head, false, true, &fault, &error), HTTP2_HEAD_REFUSED);
    cr_assert_eq(fault, HTTP_FAULT_TOO_MANY);
    http2_head_release(&head, &memory);
}

/* Cookie is not joined here: it means nothing in a response, and passes as it is. */
Test(response, cookie) {
    cr_assert_eq(judge("200", "cookie", "a", false, true), HTTP2_HEAD_GOOD);
    cr_assert_eq(message.header_count, 1);
    http2_head_release(&head, &memory);
}
