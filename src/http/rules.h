/*
 * The rules of a request's head that do not depend on the version of HTTP: its method, its target, its expectation. http/
 * applies them to the text of HTTP/1.x, http2/ to the fields of HTTP/2.
 */
#ifndef HTTP_RULES_H
#define HTTP_RULES_H

#include "http/head.h"
#include "http/message.h"

/* Why a head is not to be relayed. */
struct http_refusal {
    unsigned status;   /* 0: it is */
    const char *error; /* a static text */
};

/* Sets what the message says of its method, which has that name: method_kind, head_request, idempotent, content_unexpected.
 */
void http_rules_method(struct http_message *message, struct bytes name);

/* Returns whether the character may be in a request target as it is: it is visible ASCII, and not '#'. */
static inline bool http_is_target_character(uint8_t c) {
    return c > ' ' && c < 0x7f && c != '#';
}

/*
 * Returns whether the target, which is not empty, is one that an origin gets as it is: in origin-form, or in asterisk-form
 * where the method is OPTIONS (RFC 9112 sections 3.2.1 and 3.2.4).
 */
bool http_rules_is_path(const struct http_message *message, struct bytes target);

/*
 * Judges Expect (RFC 9110 section 10.1.1) of a message whose framing is known, and sets expect_continue. It is not for
 * requests of HTTP/1.0, which has no Expect.
 */
struct http_refusal http_rules_expectation(struct http_message *message, const void *head,
                                           const struct http_head_facts *facts);

#endif
