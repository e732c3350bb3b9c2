#include "http/rules.h"

#include <criterion/criterion.h>

static struct http_message of_method(const char *name) {
    struct http_message message = {0};
    http_rules_method(&message, bytes_of_string(name));
    return message;
}

Test(rules, methods) {
    struct http_message get = of_method("GET");
    cr_assert(get.method_kind == HTTP_METHOD_OTHER && get.idempotent && get.content_unexpected && !get.head_request);
    struct http_message head = of_method("HEAD");
    cr_assert(head.method_kind == HTTP_METHOD_HEAD && head.idempotent && head.content_unexpected && head.head_request);
    struct http_message connect = of_method("CONNECT");
    cr_assert(connect.method_kind == HTTP_METHOD_CONNECT && !connect.idempotent && connect.content_unexpected);
    struct http_message query = of_method("QUERY");
    cr_assert(query.method_kind == HTTP_METHOD_OTHER && query.idempotent && !query.content_unexpected);
    struct http_message other = of_method("get");
    cr_assert(other.method_kind == HTTP_METHOD_OTHER && !other.idempotent && !other.content_unexpected);
}

Test(rules, target_characters) {
    for (unsigned c = 0; c < 256; c++) {
        cr_assert_eq(http_is_target_character((uint8_t)c), c > 0x20 && c < 0x7f && c != '#');
    }
}

Test(rules, paths) {
    struct http_message get = of_method("GET");
    struct http_message options = of_method("OPTIONS");
    cr_assert(http_rules_is_path(&get, bytes_of_string("/")));
    cr_assert(http_rules_is_path(&get, bytes_of_string("//a")));
    cr_assert_not(http_rules_is_path(&get, bytes_of_string("*")));
    cr_assert_not(http_rules_is_path(&get, bytes_of_string("a")));
    cr_assert(http_rules_is_path(&options, bytes_of_string("*")));
    cr_assert_not(http_rules_is_path(&options, bytes_of_string("*/")));
}

static unsigned expect(const char *value, unsigned times, enum http_framing framing, uint64_t length, bool *waits) {
    struct http_header header = {.value = {0, (uint32_t)strlen(value)}};
    struct http_head_facts facts = {.expects = times, .expect = &header};
    struct http_message message = {.framing = framing, .content_length = length};
    struct http_refusal refusal = http_rules_expectation(&message, value, &facts);
    *waits = message.expect_continue;
    cr_assert((refusal.status == 0) == (refusal.error == NULL));
    return refusal.status;
}

Test(rules, expectations) {
    bool waits;
    cr_assert_eq(expect("", 0, HTTP_CHUNKED, 0, &waits), 0);
    cr_assert_not(waits);
    cr_assert_eq(expect("100-Continue", 1, HTTP_CHUNKED, 0, &waits), 0);
    cr_assert(waits);
    cr_assert_eq(expect("100-continue", 1, HTTP_LENGTH, 0, &waits), 0);
    cr_assert_not(waits);
    cr_assert_eq(expect("100-continue", 1, HTTP_LENGTH, 1, &waits), 0);
    cr_assert(waits);
    cr_assert_eq(expect("100-continue", 1, HTTP_NO_BODY, 0, &waits), 0);
    cr_assert_not(waits);
    cr_assert_eq(expect("100-continue", 2, HTTP_CHUNKED, 0, &waits), 417);
    cr_assert_eq(expect("200-ok", 1, HTTP_CHUNKED, 0, &waits), 417);
}
