#include "http/rules.h"

#include "base/check.h"
#include "http/syntax.h"

struct method {
    const char *name;
    enum http_method kind;
    bool idempotent;
    bool content_unexpected;
};

/*
 * Methods that mean something here; or are idempotent (RFC 9110 section 9.2.2, and the safe methods of RFC 3253, RFC 4918,
 * RFC 5323 and the QUERY method); or give content no meaning (RFC 9110 sections 9.3.1, 9.3.2, 9.3.5, 9.3.7 and 9.3.8).
 * Letter case counts (section 9.1). Any other token is relayed as it is.
 */
static const struct method methods[] = {
    {"GET", HTTP_METHOD_OTHER, true, true},        {"HEAD", HTTP_METHOD_HEAD, true, true},
    {"PUT", HTTP_METHOD_OTHER, true, false},       {"DELETE", HTTP_METHOD_OTHER, true, true},
    {"OPTIONS", HTTP_METHOD_OPTIONS, true, true},  {"TRACE", HTTP_METHOD_TRACE, true, true},
    {"CONNECT", HTTP_METHOD_CONNECT, false, true}, {"PROPFIND", HTTP_METHOD_OTHER, true, false},
    {"REPORT", HTTP_METHOD_OTHER, true, false},    {"SEARCH", HTTP_METHOD_OTHER, true, false},
    {"QUERY", HTTP_METHOD_OTHER, true, false},
};

void http_rules_method(struct http_message *message, struct bytes name) {
    for (size_t i = 0; i < ARRAY_LENGTH(methods); i++) {
        if (bytes_equal(name, bytes_of_string(methods[i].name))) {
            message->method_kind = (uint8_t)methods[i].kind;
            message->head_request = methods[i].kind == HTTP_METHOD_HEAD;
            message->idempotent = methods[i].idempotent;
            message->content_unexpected = methods[i].content_unexpected;
            return;
        }
    }
}

bool http_rules_is_path(const struct http_message *message, struct bytes target) {
    return target.data[0] == '/' ||
           (target.size == 1 && target.data[0] == '*' && message->method_kind == HTTP_METHOD_OPTIONS);
}

struct http_refusal http_rules_expectation(struct http_message *message, const void *head,
                                           const struct http_head_facts *facts) {
    if (facts->expects == 0) {
        return (struct http_refusal){0};
    }
    if (facts->expects > 1 || !http_text_is(http_view(head, facts->expect->value), "100-continue")) {
        return (struct http_refusal){417, "an expectation other than 100-continue"};
    }
    message->expect_continue =
        message->framing == HTTP_CHUNKED || (message->framing == HTTP_LENGTH && message->content_length > 0);
    return (struct http_refusal){0};
}
