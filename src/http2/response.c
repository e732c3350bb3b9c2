#include "http2/response.h"

#include "http/head.h"
#include "http/syntax.h"

enum http2_field http2_response_field(struct http2_head *head, struct http2_memory *memory, struct bytes name,
                                      struct bytes value) {
    bool kept = true;
    if (!http2_head_count(head, name, value)) {
        return http2_head_is_hopeless(head) ? HTTP2_FIELD_TOO_MUCH : HTTP2_FIELD_TAKEN;
    }
    if (name.data[0] == ':') { /* :status, of three digits */
        struct http_span span;
        kept = http2_head_keep(head, memory, value, &span); /* so that the head is never without memory */
        for (size_t i = 0; i < value.size; i++) {
            head->message->status = head->message->status * 10 + (value.data[i] - '0');
        }
    } else {
        kept = http2_head_add(head, memory, name, value);
    }
    return kept ? HTTP2_FIELD_TAKEN : HTTP2_FIELD_NO_MEMORY;
}

static enum http2_verdict refuse(enum http_fault why, const char *text, enum http_fault *fault, const char **error) {
    *fault = why;
    *error = text;
    return HTTP2_HEAD_REFUSED;
}

/*
 * A body that ends with the head is of the length 0: in HTTP/1.1 the answer would otherwise end with the connection. An
 * answer that has no body whatever its head says is none of that kind (RFC 9110 section 6.4.1).
 */
static void judge_framing(struct http_message *message, bool to_head, bool end) {
    if (to_head || message->status < 200 || message->status == 204 || message->status == 304) {
        message->framing = HTTP_NO_BODY;
    } else if (end) {
        message->framing = HTTP_LENGTH;
        message->content_length = 0;
    }
}

enum http2_verdict http2_response_judge(struct http2_head *head, bool to_head, bool end, enum http_fault *fault,
                                        const char **error) {
    struct http_head_facts facts;
    if (head->too_large) {
        return refuse(HTTP_FAULT_TOO_LARGE, "the response head is too large", fault, error);
    }
    if (head->too_many) {
        return refuse(HTTP_FAULT_TOO_MANY, "too many headers", fault, error);
    }
    if (!http_head_examine(head->message, (const char *)head->arena.data, &facts) || facts.content_lengths > 1 ||
        !http2_head_frame(head, end)) {
        return refuse(HTTP_FAULT_LENGTH, "Content-Length twice or beyond any bound", fault, error);
    }
    judge_framing(head->message, to_head, end);
    head->message->head_size = head->arena.size;
    return HTTP2_HEAD_GOOD;
}
