/* What a request's head must be before anything is done for it (RFC 9112 sections 3 and 6, RFC 9110 sections 7.2, 10.1.1).
 */
#include "http/syntax.h"

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* "HTTP/" and two digits with a dot between them. */
static bool is_version(const char *text, size_t size) {
    return size == 8 && memcmp(text, "HTTP/", 5) == 0 && is_digit(text[5]) && text[6] == '.' && is_digit(text[7]);
}

static bool is_supported_version(const char *text) {
    return text[5] == '1' && (text[7] == '0' || text[7] == '1');
}

unsigned http_request_error_status(const struct http_parser *parser, llhttp_errno_t error, size_t offset) {
    const char *start = parser->head + parser->start;
    const char *at = parser->head + offset;
    switch (error) {
    case HPE_INVALID_METHOD:
        /* llhttp knows a list of methods. Another one is a well-formed request for what is not implemented. */
        return http_is_token_character((uint8_t)*at) || (*at == ' ' && at > start) ? 501 : 400;
    case HPE_INVALID_VERSION:
        return at - start > 8 && is_version(at - 8, 8) && !is_supported_version(at - 8) ? 505 : 400;
    case HPE_PAUSED_H2_UPGRADE:
        return 505;
    default:
        return 400;
    }
}

/*
 * llhttp lets pass several spaces, no version at all, and the start lines of protocols that look like HTTP. The line must
 * be exactly method SP target SP version CRLF.
 */
static enum http_result judge_start_line(struct http_parser *parser) {
    struct http_message *message = parser->message;
    const char *head = parser->head;
    uint32_t target_end = message->target.offset + message->target.size;
    message->method.offset = parser->start;
    message->method.size = message->target.offset - parser->start - 1;
    if (!http_is_token(http_view(head, message->method))) {
        return http_refuse(parser, 400, "more than one space before the request target");
    }
    const char *rest = head + target_end;
    size_t left = message->head_size - target_end;
    if (left < 11 || rest[0] != ' ' || !is_version(rest + 1, 8) || memcmp(rest + 9, "\r\n", 2) != 0) {
        return http_refuse(parser, 400, "the request line does not end in one space and an HTTP version");
    }
    if (!is_supported_version(rest + 1)) {
        return http_refuse(parser, 505, "the version is neither HTTP/1.1 nor HTTP/1.0");
    }
    return HTTP_PARSE_HEAD;
}

static struct http_span span_behind(struct http_span span, uint32_t size) {
    return (struct http_span){span.offset + size, span.size - size};
}

/* The size of "http://" or "https://" at the front, else 0. */
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

static bool has_only_target_characters(struct bytes target) {
    for (size_t i = 0; i < target.size; i++) {
        if (target.data[i] <= ' ' || target.data[i] >= 0x7f || target.data[i] == '#') {
            return false;
        }
    }
    return target.size > 0;
}

/* RFC 9112 section 3.2: which form the target has, and with it path and, except for origin-form, authority. */
static enum http_result judge_target(struct http_parser *parser) {
    struct http_message *message = parser->message;
    struct bytes target = http_view(parser->head, message->target);
    if (!has_only_target_characters(target)) {
        return http_refuse(parser, 400, "a character in the request target that must be encoded");
    }
    if (parser->llhttp.method == HTTP_CONNECT) {
        message->authority = message->target;
        return HTTP_PARSE_HEAD;
    }
    if (target.data[0] == '/' || (target.size == 1 && target.data[0] == '*' && parser->llhttp.method == HTTP_OPTIONS)) {
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

/* RFC 9112 section 3.2.2: the target's authority goes before Host, but Host must be there and right all the same. */
static enum http_result judge_authority(struct http_parser *parser, const struct http_head_facts *facts) {
    struct http_message *message = parser->message;
    struct bytes host;
    if (facts->hosts > 1) {
        return http_refuse(parser, 400, "more than one Host");
    }
    if (facts->hosts == 0 && message->minor > 0) {
        return http_refuse(parser, 400, "no Host");
    }
    if (facts->host != NULL && !http_authority_host(http_view(parser->head, facts->host->value), &host)) {
        return http_refuse(parser, 400, "Host is not a host and a port");
    }
    if (message->absolute_form || message->path.size == 0) {
        return http_authority_host(http_view(parser->head, message->authority), &host)
                   ? HTTP_PARSE_HEAD
                   : http_refuse(parser, 400, "the request target's authority is not a host and a port");
    }
    if (facts->host != NULL) {
        message->authority = facts->host->value;
    }
    return HTTP_PARSE_HEAD;
}

/* 400 for what nobody can read safely, 501 for codings that exist but are not implemented (RFC 9112 section 6.1). */
static enum http_result refuse_transfer_encoding(struct http_parser *parser, struct bytes codings) {
    struct bytes coding;
    bool unknown = false;
    bool chunked_last = false;
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
        if ((parser->llhttp.flags & F_CHUNKED) == 0) {
            return http_refuse(parser, 400, "Transfer-Encoding cannot be read safely");
        }
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

/* RFC 9110 section 10.1.1. HTTP/1.0 has no Expect. */
static enum http_result judge_expectation(struct http_parser *parser, const struct http_head_facts *facts) {
    struct http_message *message = parser->message;
    if (facts->expects == 0 || message->minor == 0) {
        return HTTP_PARSE_HEAD;
    }
    if (facts->expects > 1 || !http_text_is(http_view(parser->head, facts->expect->value), "100-continue")) {
        return http_refuse(parser, 417, "an expectation other than 100-continue");
    }
    message->expect_continue =
        message->framing == HTTP_CHUNKED || (message->framing == HTTP_LENGTH && message->content_length > 0);
    return HTTP_PARSE_HEAD;
}

/* RFC 9110 section 9.2.2, and the safe methods of RFC 3253, RFC 4918, RFC 5323 and the QUERY method. */
static bool is_idempotent(uint8_t method) {
    switch (method) {
    case HTTP_GET:
    case HTTP_HEAD:
    case HTTP_PUT:
    case HTTP_DELETE:
    case HTTP_OPTIONS:
    case HTTP_TRACE:
    case HTTP_PROPFIND:
    case HTTP_REPORT:
    case HTTP_SEARCH:
    case HTTP_QUERY:
        return true;
    default:
        return false;
    }
}

enum http_result http_request_judge(struct http_parser *parser) {
    struct http_message *message = parser->message;
    struct http_head_facts facts;
    if (judge_start_line(parser) == HTTP_PARSE_ERROR || judge_target(parser) == HTTP_PARSE_ERROR) {
        return HTTP_PARSE_ERROR;
    }
    if (!http_head_examine(message, parser->head, &facts)) {
        return http_refuse(parser, 400, "Connection names too many headers");
    }
    if (judge_authority(parser, &facts) == HTTP_PARSE_ERROR || judge_framing(parser, &facts) == HTTP_PARSE_ERROR ||
        judge_expectation(parser, &facts) == HTTP_PARSE_ERROR) {
        return HTTP_PARSE_ERROR;
    }
    message->head_request = parser->llhttp.method == HTTP_HEAD;
    message->idempotent = is_idempotent(parser->llhttp.method);
    message->upgrade = parser->llhttp.method == HTTP_CONNECT || (facts.upgrades > 0 && message->minor > 0);
    message->keep_alive = !facts.close && (message->minor > 0 || facts.keep_alive);
    return HTTP_PARSE_HEAD;
}
