#include "http/response.h"

#include "http/head.h"
#include "http/syntax.h"
#include "http/upgrade.h"

enum http_fault http_response_fault(const struct http_parser *parser) {
    size_t offset = (size_t)(llhttp_get_error_pos(&parser->llhttp) - parser->head);
    switch (llhttp_get_errno(&parser->llhttp)) {
    case HPE_UNEXPECTED_CONTENT_LENGTH:
    case HPE_INVALID_CONTENT_LENGTH:
    case HPE_INVALID_TRANSFER_ENCODING: /* of a response: beside Content-Length */
        return HTTP_FAULT_LENGTH;
    default:
        return memchr(parser->head, '\n', offset) == NULL ? HTTP_FAULT_STATUS_LINE : HTTP_FAULT_HEADER;
    }
}

/* llhttp lets pass the start lines of protocols that look like HTTP, and any byte but CR and LF in a reason phrase. */
static enum http_result judge_status_line(struct http_parser *parser) {
    struct http_message *message = parser->message;
    const char *head = parser->head;
    if (memcmp(head, "HTTP/1.", 7) != 0 || (head[7] != '0' && head[7] != '1')) {
        return http_refuse_response(parser, HTTP_FAULT_STATUS_LINE, "the response is neither HTTP/1.1 nor HTTP/1.0");
    }
    struct bytes reason = http_view(head, message->reason_phrase);
    for (size_t i = 0; i < reason.size; i++) {
        if ((reason.data[i] < ' ' && reason.data[i] != '\t') || reason.data[i] == 0x7f) {
            return http_refuse_response(parser, HTTP_FAULT_STATUS_LINE, "a control byte in the reason phrase");
        }
    }
    message->status = parser->llhttp.status_code;
    if (message->status < 100) {
        return http_refuse_response(parser, HTTP_FAULT_STATUS_LINE, "a status below 100");
    }
    if (message->status == HTTP_STATUS_SWITCHING && !parser->takes_switch) {
        return http_refuse_response(parser, HTTP_FAULT_UPGRADE, "switching protocols, which nobody asked for");
    }
    return HTTP_PARSE_HEAD;
}

/* Finds the framing of the body from the headers alone, in the order of RFC 9112 section 6.3. */
static enum http_result judge_framing(struct http_parser *parser, const struct http_head_facts *facts) {
    struct http_message *message = parser->message;
    message->framing = HTTP_UNTIL_CLOSE;
    if (facts->transfer_encodings > 0) {
        if (facts->content_lengths > 0) {
            return http_refuse_response(parser, HTTP_FAULT_LENGTH, "both Content-Length and Transfer-Encoding");
        }
        if (facts->transfer_encodings > 1 || message->minor == 0) {
            return http_refuse_response(parser, HTTP_FAULT_TRANSFER_ENCODING, "Transfer-Encoding twice, or in HTTP/1.0");
        }
        if (!http_text_is(http_view(parser->head, facts->transfer_encoding->value), "chunked")) {
            return http_refuse_response(parser, HTTP_FAULT_TRANSFER_ENCODING,
                                        "Transfer-Encoding is not exactly \"chunked\"");
        }
        message->framing = HTTP_CHUNKED;
    } else if (facts->content_lengths > 0) {
        if (facts->content_lengths > 1 || parser->llhttp.content_length > INT64_MAX) {
            return http_refuse_response(parser, HTTP_FAULT_LENGTH, "Content-Length twice or beyond any bound");
        }
        message->framing = HTTP_LENGTH;
        message->content_length = parser->llhttp.content_length;
    }
    return HTTP_PARSE_HEAD;
}

static bool has_no_body(const struct http_parser *parser) {
    unsigned status = parser->message->status;
    return parser->to_head || status < 200 || status == 204 || status == 304;
}

/*
 * Returns whether a response that has no body may bring one all the same, which would be read as the next answer. Some
 * origins send a body that the head announces, whatever the status; some answer HEAD as GET, with a body unannounced.
 */
static bool may_bring_body(const struct http_parser *parser) {
    const struct http_message *message = parser->message;
    unsigned status = message->status;
    if (message->framing == HTTP_UNTIL_CLOSE) {
        return parser->to_head && status >= 200 && status != 204 && status != 304;
    }
    return message->framing == HTTP_CHUNKED || message->content_length > 0;
}

enum http_result http_response_judge(struct http_parser *parser) {
    struct http_message *message = parser->message;
    if (judge_status_line(parser) == HTTP_PARSE_ERROR) {
        return HTTP_PARSE_ERROR;
    }
    struct http_head_facts facts;
    if (!http_head_examine(message, parser->head, &facts)) {
        return http_refuse_response(parser, HTTP_FAULT_HEADER, "Connection names too many headers");
    }
    if (judge_framing(parser, &facts) == HTTP_PARSE_ERROR) {
        return HTTP_PARSE_ERROR;
    }
    message->keep_alive = !facts.close && (message->minor > 0 || facts.keep_alive);
    if (has_no_body(parser)) {
        message->end_in_doubt = may_bring_body(parser);
        message->framing = HTTP_NO_BODY;
    } else if (message->framing == HTTP_UNTIL_CLOSE) {
        message->keep_alive = false;
    }
    return HTTP_PARSE_HEAD;
}
