#include "http/request.h"

#include "http/authority.h"
#include "http/head.h"
#include "http/rules.h"
#include "http/syntax.h"

static struct http_span span_behind(struct http_span span, uint32_t size) {
    return (struct http_span){span.offset + size, span.size - size};
}

/* Returns the size of "http://" or "https://" at the front, else 0. */
static uint32_t scheme_size(struct bytes target) {
    static const char *const schemes[] = {"https://", "http://"};
    for (size_t i = 0; i < 2; i++) {
        size_t size = strlen(schemes[i]);
        if (target.size >= size && http_text_is(bytes_of(target.data, size), schemes[i])) {
            return (uint32_t)size;
        }
    }
    return 0;
}

/* Finds the form of the target (RFC 9112 section 3.2), and with it path and, except for origin-form, authority. */
static enum http_result judge_target(struct http_parser *parser) {
    struct http_message *message = parser->message;
    struct bytes target = http_view(parser->head, message->target);
    if (message->method_kind == HTTP_METHOD_CONNECT) {
        message->authority = message->target;
        return HTTP_PARSE_HEAD;
    }
    if (http_rules_is_path(message, target)) {
        message->path = message->target;
        return HTTP_PARSE_HEAD;
    }
    uint32_t scheme = scheme_size(target);
    if (scheme == 0) {
        return http_refuse(parser, 400, "a request target of no known form");
    }
    message->absolute_form = true;
    message->authority = span_behind(message->target, scheme);
    uint32_t size = 0;
    while (size < message->authority.size && target.data[scheme + size] != '/' && target.data[scheme + size] != '?') {
        size++;
    }
    message->path = span_behind(message->authority, size);
    message->authority.size = size;
    return HTTP_PARSE_HEAD;
}

/* RFC 9112 section 3.2.2: the authority in the target replaces Host, but Host must be there and valid all the same. */
static enum http_result judge_authority(struct http_parser *parser, const struct http_head_facts *facts) {
    struct http_message *message = parser->message;
    if (facts->hosts > 1) {
        return http_refuse(parser, 400, "more than one Host");
    }
    if (facts->hosts == 0 && message->minor > 0) {
        return http_refuse(parser, 400, "no Host");
    }
    /*
     * An https URI has an authority (RFC 9110 section 4.2.2), so an empty Host is invalid. HTTP/1.0 does not know Host:
     * there an empty one says as much as none.
     */
    bool names_host = facts->host != NULL && (facts->host->value.size > 0 || message->minor > 0);
    struct bytes host;
    if (names_host && !http_authority_host(http_view(parser->head, facts->host->value), &host)) {
        return http_refuse(parser, 400, "Host is not a host and a port");
    }
    if (message->absolute_form || message->path.size == 0) {
        return http_authority_host(http_view(parser->head, message->authority), &host)
                   ? HTTP_PARSE_HEAD
                   : http_refuse(parser, 400, "the request target's authority is not a host and a port");
    }
    if (names_host) {
        message->authority = facts->host->value;
    }
    return HTTP_PARSE_HEAD;
}

/* Answers 400 to codings that cannot be read safely, 501 to those that are not implemented (RFC 9112 section 6.1). */
static enum http_result refuse_transfer_encoding(struct http_parser *parser, struct bytes codings) {
    bool unknown = false;
    bool chunked_last = false;
    struct bytes coding;
    while (http_list_next(&codings, &coding)) {
        if (chunked_last || !http_is_token(coding)) {
            return http_refuse(parser, 400, "Transfer-Encoding cannot be read safely");
        }
        chunked_last = http_text_is(coding, "chunked");
        unknown = unknown || !chunked_last;
    }
    return unknown ? http_refuse(parser, 501, "a transfer coding other than chunked")
                   : http_refuse(parser, 400, "Transfer-Encoding is not exactly \"chunked\"");
}

static enum http_result judge_framing(struct http_parser *parser, const struct http_head_facts *facts) {
    struct http_message *message = parser->message;
    if (facts->transfer_encodings > 0) {
        struct bytes codings = http_view(parser->head, facts->transfer_encoding->value);
        if (facts->transfer_encodings > 1 || facts->content_lengths > 0 || message->minor == 0) {
            return http_refuse(parser, 400, "Transfer-Encoding twice, beside Content-Length, or in HTTP/1.0");
        }
        if (!http_text_is(codings, "chunked")) {
            return refuse_transfer_encoding(parser, codings);
        }
        parser->llhttp.flags |= F_CHUNKED; /* llhttp does not set it if a tab follows, which is white space too */
        message->framing = HTTP_CHUNKED;
    } else if (facts->content_lengths > 0) {
        if (facts->content_lengths > 1) {
            return http_refuse(parser, 400, "more than one Content-Length");
        }
        if (parser->llhttp.content_length > INT64_MAX) {
            return http_refuse(parser, 413, "Content-Length is beyond any bound");
        }
        message->framing = HTTP_LENGTH;
        message->content_length = parser->llhttp.content_length;
    }
    return HTTP_PARSE_HEAD;
}

/* HTTP/1.0 has no Expect. */
static enum http_result judge_expectation(struct http_parser *parser, const struct http_head_facts *facts) {
    struct http_message *message = parser->message;
    if (message->minor == 0) {
        return HTTP_PARSE_HEAD;
    }
    struct http_refusal refusal = http_rules_expectation(message, parser->head, facts);
    return refusal.status == 0 ? HTTP_PARSE_HEAD : http_refuse(parser, refusal.status, refusal.error);
}

enum http_result http_request_judge(struct http_parser *parser) {
    struct http_message *message = parser->message;
    if (judge_target(parser) == HTTP_PARSE_ERROR) {
        return HTTP_PARSE_ERROR;
    }
    struct http_head_facts facts;
    if (!http_head_examine(message, parser->head, &facts)) {
        return http_refuse(parser, 400, "Connection names too many headers");
    }
    if (judge_authority(parser, &facts) == HTTP_PARSE_ERROR || judge_framing(parser, &facts) == HTTP_PARSE_ERROR ||
        judge_expectation(parser, &facts) == HTTP_PARSE_ERROR) {
        return HTTP_PARSE_ERROR;
    }
    message->keep_alive = !facts.close && (message->minor > 0 || facts.keep_alive);
    return HTTP_PARSE_HEAD;
}
