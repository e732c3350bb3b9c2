#include "http/parser.h"

#include "base/check.h"
#include "http/chunks.h"
#include "http/request.h"
#include "http/response.h"
#include "http/start_line.h"

/* A callback sets `pending`, to say after llhttp_execute() why that has returned. */
enum pending {
    PENDING_NOTHING,
    PENDING_NAME, /* in a header's name */
    PENDING_VALUE,
    PENDING_LAST_CHUNK,
    PENDING_MESSAGE_END,
};

static struct http_parser *parser_of(llhttp_t *llhttp) {
    return CONTAINER_OF(llhttp, struct http_parser, llhttp);
}

static bool is_request(const struct http_parser *parser) {
    return parser->llhttp.type == HTTP_REQUEST;
}

/* Extends a span by a piece: llhttp hands one out for each call that the span reaches into, and in a head they touch. */
static void span_extend(struct http_span *span, const struct http_parser *parser, const char *at, size_t size) {
    if (span->size == 0) {
        span->offset = (uint32_t)(at - parser->head);
    }
    span->size = (uint32_t)(at - parser->head + (ptrdiff_t)size) - span->offset;
}

static int on_reason(llhttp_t *llhttp, const char *at, size_t size) {
    struct http_parser *parser = parser_of(llhttp);
    span_extend(&parser->message->reason_phrase, parser, at, size);
    return 0;
}

/* The header that is being read has the index header_count, and counts once its name is complete. */
static int on_name(llhttp_t *llhttp, const char *at, size_t size) {
    struct http_parser *parser = parser_of(llhttp);
    struct http_message *message = parser->message;
    if (message->header_count == message->headers_max) {
        parser->pending = PENDING_NAME;
        return 0;
    }
    struct http_header *header = &message->headers[message->header_count];
    if (parser->pending != PENDING_NAME) {
        *header = (struct http_header){0};
        parser->pending = PENDING_NAME;
    }
    span_extend(&header->name, parser, at, size);
    return 0;
}

static int on_value(llhttp_t *llhttp, const char *at, size_t size) {
    struct http_parser *parser = parser_of(llhttp);
    struct http_message *message = parser->message;
    if (parser->pending == PENDING_NAME) {
        if (message->header_count == message->headers_max) {
            parser->fault = HTTP_FAULT_TOO_MANY;
            http_refuse(parser, is_request(parser) ? 431 : 502, "too many headers");
            return HPE_USER;
        }
        message->header_count++;
        parser->pending = PENDING_VALUE;
    }
    span_extend(&message->headers[message->header_count - 1].value, parser, at, size);
    return 0;
}

static int on_head_end(llhttp_t *llhttp) {
    return HPE_PAUSED;
}

static const llhttp_settings_t head_settings = {
    .on_status = on_reason,
    .on_header_field = on_name,
    .on_header_value = on_value,
    .on_headers_complete = on_head_end,
};

static int on_body(llhttp_t *llhttp, const char *at, size_t size) {
    parser_of(llhttp)->piece = bytes_of(at, size);
    return size > 0 ? HPE_PAUSED : 0;
}

static int on_chunk(llhttp_t *llhttp) {
    if (llhttp->content_length > 0) {
        return 0;
    }
    parser_of(llhttp)->pending = PENDING_LAST_CHUNK;
    return HPE_PAUSED;
}

static int on_message_end(llhttp_t *llhttp) {
    parser_of(llhttp)->pending = PENDING_MESSAGE_END;
    return HPE_PAUSED;
}

/* Trailers have no callbacks: llhttp checks their syntax, and they are kept as they come. */
static const llhttp_settings_t body_settings = {
    .on_body = on_body,
    .on_chunk_header = on_chunk,
    .on_message_complete = on_message_end,
};

static void parser_init(struct http_parser *parser, struct http_message *message, uint32_t head_size_max,
                        llhttp_type_t type) {
    CHECK(head_size_max >= HTTP_HEAD_SIZE_MIN && message->headers != NULL && message->headers_max > 0);
    *parser = (struct http_parser){.message = message, .head_size_max = head_size_max};
    llhttp_init(&parser->llhttp, type, &head_settings);
    *message = (struct http_message){.headers_max = message->headers_max, .headers = message->headers};
}

void http_parser_init_request(struct http_parser *parser, struct http_message *message, uint32_t head_size_max) {
    parser_init(parser, message, head_size_max, HTTP_REQUEST);
}

void http_parser_init_response(struct http_parser *parser, struct http_message *message, uint32_t head_size_max,
                               bool to_head) {
    parser_init(parser, message, head_size_max, HTTP_RESPONSE);
    parser->to_head = to_head;
}

static enum http_result refuse_by_llhttp(struct http_parser *parser) {
    if (parser->phase == HTTP_PHASE_FAILED) {
        return HTTP_PARSE_ERROR; /* a callback has refused it */
    }
    const char *reason = llhttp_get_error_reason(&parser->llhttp);
    if (!is_request(parser)) {
        enum http_fault fault = http_response_fault(parser);

        /* llhttp's words are of protocols that are not spoken here. */
        return http_refuse_response(parser, fault,
                                    fault == HTTP_FAULT_STATUS_LINE ? "no status line of HTTP/1.1 or HTTP/1.0" : reason);
    }
    return http_refuse(parser, 400, reason);
}

static enum http_result refuse_large_head(struct http_parser *parser) {
    if (!is_request(parser)) {
        return http_refuse_response(parser, HTTP_FAULT_TOO_LARGE, "the response head is too large");
    }
    if (memchr(parser->head + parser->start, '\n', parser->parsed - parser->start) == NULL) {
        return http_refuse(parser, 414, "the request line is longer than a head may be");
    }
    return http_refuse(parser, 431, "the request head is too large");
}

/*
 * llhttp skips any CR and LF before a message, in any order. Here one CRLF may precede a request (RFC 9112 section 2.2),
 * and nothing may precede a response. HTTP_PARSE_HEAD when the start line has begun.
 */
static enum http_result begin_head(struct http_parser *parser, size_t size) {
    if (parser->parsed == 0 && is_request(parser) && parser->head[0] == '\r') {
        if (size < 2) {
            return HTTP_PARSE_MORE;
        }
        if (parser->head[1] != '\n') {
            return http_refuse(parser, 400, "CR without LF before the request");
        }
        parser->parsed = parser->start = 2;
    }
    if (parser->parsed == size) {
        return HTTP_PARSE_MORE;
    }
    uint8_t first = (uint8_t)parser->head[parser->parsed];
    if (first == '\r' || first == '\n') {
        return is_request(parser)
                   ? http_refuse(parser, 400, "an empty line before the request")
                   : http_refuse_response(parser, HTTP_FAULT_STATUS_LINE, "an empty line before the response");
    }
    parser->phase = is_request(parser) ? HTTP_PHASE_LINE : HTTP_PHASE_HEAD;
    parser->part_start = parser->parsed;
    return HTTP_PARSE_HEAD;
}

/* Reads the request's own line, and then gives llhttp another in its place, so that llhttp goes on with the headers. */
static enum http_result read_line(struct http_parser *parser, size_t size) {
    static const char *const stand_ins[] = {"GET / HTTP/1.0\r\n", "GET / HTTP/1.1\r\n"};
    enum http_result result = http_start_line(parser, size);
    if (result == HTTP_PARSE_HEAD) {
        const char *line = stand_ins[parser->message->minor];
        CHECK(llhttp_execute(&parser->llhttp, line, strlen(line)) == HPE_OK);
        parser->phase = HTTP_PHASE_HEAD;
    }
    return result;
}

static enum http_result end_head(struct http_parser *parser) {
    struct http_message *message = parser->message;
    const char *end = llhttp_get_error_pos(&parser->llhttp);
    parser->parsed = message->head_size = (uint32_t)(end - parser->head);
    if (!is_request(parser)) {
        message->minor = parser->llhttp.http_minor;
    }
    enum http_result result = is_request(parser) ? http_request_judge(parser) : http_response_judge(parser);
    if (result == HTTP_PARSE_HEAD) {
        parser->phase = HTTP_PHASE_BODY;
        parser->framing = (uint8_t)message->framing;
        parser->body_left = message->framing == HTTP_LENGTH ? message->content_length : 0;
        parser->llhttp.settings = (void *)&body_settings;
        llhttp_resume(&parser->llhttp);
    }
    return result;
}

/* Reads from parser->parsed to `size`, which is more. */
static enum http_result read_headers(struct http_parser *parser, size_t size) {
    llhttp_errno_t error = llhttp_execute(&parser->llhttp, parser->head + parser->parsed, size - parser->parsed);
    if (error == HPE_PAUSED) {
        return end_head(parser);
    }
    if (error != HPE_OK) {
        return refuse_by_llhttp(parser);
    }
    parser->parsed = (uint32_t)size;
    return HTTP_PARSE_MORE;
}

enum http_result http_parser_head(struct http_parser *parser, struct bytes head) {
    if (parser->phase == HTTP_PHASE_FAILED) {
        return HTTP_PARSE_ERROR;
    }
    CHECK(parser->phase <= HTTP_PHASE_HEAD && head.size >= parser->parsed);
    size_t size = head.size < parser->head_size_max ? head.size : parser->head_size_max;
    if (size == parser->parsed) {
        return HTTP_PARSE_MORE;
    }
    parser->head = (const char *)head.data;
    if (parser->phase == HTTP_PHASE_START) {
        enum http_result result = begin_head(parser, size);
        if (result != HTTP_PARSE_HEAD) {
            return result;
        }
    }
    if (parser->phase == HTTP_PHASE_LINE && read_line(parser, size) == HTTP_PARSE_ERROR) {
        return HTTP_PARSE_ERROR;
    }
    if (parser->phase == HTTP_PHASE_HEAD && size > parser->parsed) {
        enum http_result result = read_headers(parser, size);
        if (result != HTTP_PARSE_MORE) {
            return result;
        }
    }
    return size == parser->head_size_max ? refuse_large_head(parser) : HTTP_PARSE_MORE;
}

static void input_advance(struct bytes *input, size_t size) {
    input->data += size;
    input->size -= size;
}

static enum http_result take_piece(struct bytes *input, uint64_t size_max, struct bytes *piece) {
    *piece = bytes_of(input->data, input->size < size_max ? input->size : (size_t)size_max);
    input_advance(input, piece->size);
    return HTTP_PARSE_BODY;
}

/* Counts bytes of framing. False when they are too many: else a sender could send chunk heads and trailers without end. */
static bool framing_fits(struct http_parser *parser, size_t size) {
    uint32_t limit = parser->phase == HTTP_PHASE_TRAILERS ? HTTP_TRAILERS_MAX : HTTP_CHUNK_HEAD_MAX;
    if (size > limit - parser->framing_size) {
        return false;
    }
    parser->framing_size += (uint32_t)size;
    return true;
}

static enum http_result refuse_framing(struct http_parser *parser) {
    return parser->phase == HTTP_PHASE_TRAILERS ? http_refuse(parser, 431, "the trailers are too large")
                                                : http_refuse(parser, 400, "a chunk's head is too large");
}

static enum http_result take_chunked(struct http_parser *parser, struct bytes *input, struct bytes *piece) {
    while (input->size > 0) {
        const char *from = (const char *)input->data;
        parser->piece = bytes_of(NULL, 0);
        parser->pending = PENDING_NOTHING;
        llhttp_errno_t error = llhttp_execute(&parser->llhttp, from, input->size);
        if (error != HPE_OK && error != HPE_PAUSED) {
            return refuse_by_llhttp(parser);
        }
        size_t used = error == HPE_OK ? input->size : (size_t)(llhttp_get_error_pos(&parser->llhttp) - from);
        llhttp_resume(&parser->llhttp);
        if (!framing_fits(parser, used - parser->piece.size)) {
            return refuse_framing(parser);
        }
        if (parser->phase == HTTP_PHASE_TRAILERS) {
            http_keep_trailers(parser, bytes_of(input->data, used));
        }
        input_advance(input, used);
        if (parser->pending == PENDING_MESSAGE_END) {
            parser->phase = HTTP_PHASE_END;
            return HTTP_PARSE_END;
        }
        if (parser->pending == PENDING_LAST_CHUNK) {
            parser->phase = HTTP_PHASE_TRAILERS;
            parser->framing_size = 0;
        }
        if (parser->piece.size > 0) {
            parser->framing_size = 0;
            *piece = parser->piece;
            return HTTP_PARSE_BODY;
        }
    }
    return HTTP_PARSE_MORE;
}

enum http_result http_parser_body(struct http_parser *parser, struct bytes *input, struct bytes *piece) {
    *piece = bytes_of(NULL, 0);
    if (parser->phase == HTTP_PHASE_FAILED) {
        return HTTP_PARSE_ERROR;
    }
    CHECK(parser->phase >= HTTP_PHASE_BODY);
    if (parser->phase == HTTP_PHASE_END) {
        return HTTP_PARSE_END;
    }
    if (parser->framing == HTTP_CHUNKED) {
        return is_request(parser) ? take_chunked(parser, input, piece) : http_chunks_take(parser, input, piece);
    }
    if (parser->framing == HTTP_NO_BODY || (parser->framing == HTTP_LENGTH && parser->body_left == 0)) {
        parser->phase = HTTP_PHASE_END;
        return HTTP_PARSE_END;
    }
    if (input->size == 0) {
        return HTTP_PARSE_MORE;
    }
    if (parser->framing == HTTP_UNTIL_CLOSE) {
        return take_piece(input, UINT64_MAX, piece);
    }
    take_piece(input, parser->body_left, piece);
    parser->body_left -= piece->size;
    return HTTP_PARSE_BODY;
}

bool http_parser_finish(struct http_parser *parser) {
    if (parser->phase == HTTP_PHASE_END) {
        return true;
    }
    if (parser->phase != HTTP_PHASE_BODY || parser->framing == HTTP_CHUNKED || parser->body_left > 0) {
        return false;
    }
    parser->phase = HTTP_PHASE_END;
    return true;
}
