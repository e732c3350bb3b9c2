#include "http2/request.h"

#include "http/authority.h"
#include "http/parser_state.h"
#include "http/syntax.h"

static bool is(struct bytes name, const char *expected) {
    return bytes_equal(name, bytes_of_string(expected));
}

/* nghttp2 lets no other pseudo-header pass. */
static struct http_span *place_of(struct http2_head *head, struct bytes name) {
    struct http_message *message = head->message;
    if (is(name, ":method")) {
        return &message->method;
    }
    if (is(name, ":path")) {
        return &message->target;
    }
    if (is(name, ":authority")) {
        return &head->authority;
    }
    if (is(name, ":protocol")) {
        return &message->protocol;
    }
    return &head->scheme;
}

enum http2_field http2_request_field(struct http2_head *head, struct http2_memory *memory, struct bytes name,
                                     struct bytes value) {
    bool kept = true;
    if (!http2_head_count(head, name, value)) {
        head->path_too_long = head->path_too_long || (is(name, ":path") && value.size > HTTP_TARGET_MAX);
        return http2_head_is_hopeless(head) ? HTTP2_FIELD_TOO_MUCH : HTTP2_FIELD_TAKEN;
    }
    if (name.data[0] == ':') {
        kept = http2_head_keep(head, memory, value, place_of(head, name));
        if (kept && is(name, ":method")) {
            http_rules_method(head->message, value);
        }
    } else if (is(name, "cookie")) {
        kept = http2_head_add_crumb(head, memory, value);
    } else {
        kept = http2_head_add(head, memory, name, value);
    }
    return kept ? HTTP2_FIELD_TAKEN : HTTP2_FIELD_NO_MEMORY;
}

static enum http2_verdict refuse(struct http_refusal *refusal, unsigned status, const char *error) {
    *refusal = (struct http_refusal){status, error};
    return HTTP2_HEAD_REFUSED;
}

static struct bytes view(const struct http2_head *head, struct http_span span) {
    return http_view(head->arena.data, span);
}

/* Answers as http/start_line does. */
static enum http2_verdict judge_size(const struct http2_head *head, struct http_refusal *refusal) {
    if (head->message->method.size > HTTP_METHOD_MAX) {
        return refuse(refusal, 501, "the method is too long");
    }
    if (head->message->target.size > HTTP_TARGET_MAX || head->path_too_long) {
        return refuse(refusal, 414, "the request target is too long");
    }
    if (head->too_large) {
        return refuse(refusal, 431, "the request head is too large");
    }
    if (head->too_many) {
        return refuse(refusal, 431, "too many headers");
    }
    return HTTP2_HEAD_GOOD;
}

/* An https URI and an http URI have paths; what others have is not known here. */
static bool is_known_scheme(struct bytes scheme) {
    return http_text_is(scheme, "https") || http_text_is(scheme, "http");
}

static enum http2_verdict judge_target(const struct http2_head *head, struct http_refusal *refusal) {
    struct http_message *message = head->message;
    if (message->method_kind == HTTP_METHOD_CONNECT && message->protocol.size == 0) {
        message->target = head->authority;
        return HTTP2_HEAD_GOOD;
    }
    struct bytes target = view(head, message->target);
    if (!is_known_scheme(view(head, head->scheme)) || !http_rules_is_path(message, target)) {
        return HTTP2_HEAD_MALFORMED;
    }
    for (size_t i = 0; i < target.size; i++) {
        if (!http_is_target_character(target.data[i])) {
            return refuse(refusal, 400, "a character in the request target that must be encoded");
        }
    }
    message->path = message->target;
    return HTTP2_HEAD_GOOD;
}

/* Returns the port of a valid authority, which has that host; the scheme's own is left out (RFC 9110 section 4.2.3). */
static struct bytes port_of(struct bytes authority, struct bytes host, struct bytes scheme) {
    const uint8_t *end = host.data + host.size;
    struct bytes port = bytes_of(end, (size_t)(authority.data + authority.size - end));
    while (port.size > 0 && (port.data[0] == ']' || port.data[0] == ':')) {
        port = bytes_of(port.data + 1, port.size - 1);
    }
    return is(port, http_text_is(scheme, "http") ? "80" : "443") ? bytes_of(NULL, 0) : port;
}

/* RFC 9113 section 8.3.1. */
static enum http2_verdict judge_authority(const struct http2_head *head, const struct http_head_facts *facts,
                                          struct http_refusal *refusal) {
    struct http_message *message = head->message;
    struct bytes scheme = view(head, head->scheme);
    struct bytes hosts[2];
    struct bytes host = facts->host == NULL ? bytes_of(NULL, 0) : view(head, facts->host->value);
    struct bytes authority = head->authority.size == 0 ? host : view(head, head->authority);
    message->authority = head->authority.size == 0 && facts->host != NULL ? facts->host->value : head->authority;
    if (!http_authority_host(authority, &hosts[0])) {
        return refuse(refusal, 400, "the authority is not a host and a port");
    }
    if (facts->host == NULL || head->authority.size == 0) {
        return HTTP2_HEAD_GOOD;
    }
    if (!http_authority_host(host, &hosts[1])) {
        return refuse(refusal, 400, "Host is not a host and a port");
    }
    bool same = bytes_equal_ignoring_case(hosts[0], hosts[1]) &&
                bytes_equal(port_of(authority, hosts[0], scheme), port_of(host, hosts[1], scheme));
    return same ? HTTP2_HEAD_GOOD : HTTP2_HEAD_MALFORMED;
}

enum http2_verdict http2_request_judge(struct http2_head *head, struct http2_memory *memory, bool end,
                                       struct http_refusal *refusal) {
    struct http_head_facts facts;
    *refusal = (struct http_refusal){0};
    if (!http2_head_join_crumbs(head, memory)) {
        return HTTP2_HEAD_NO_MEMORY;
    }
    enum http2_verdict verdict = judge_size(head, refusal);
    if (verdict != HTTP2_HEAD_GOOD) {
        return verdict;
    }
    if (!http_head_examine(head->message, (const char *)head->arena.data, &facts) || facts.hosts > 1 ||
        facts.content_lengths > 1 || !http2_head_frame(head, end)) {
        return HTTP2_HEAD_MALFORMED;
    }
    verdict = judge_target(head, refusal);
    if (verdict == HTTP2_HEAD_GOOD) {
        verdict = judge_authority(head, &facts, refusal);
    }
    if (verdict == HTTP2_HEAD_GOOD) {
        *refusal = http_rules_expectation(head->message, head->arena.data, &facts);
        verdict = refusal->status == 0 ? HTTP2_HEAD_GOOD : HTTP2_HEAD_REFUSED;
    }
    head->message->head_size = head->arena.size;
    return verdict;
}
