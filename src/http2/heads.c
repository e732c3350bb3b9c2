#include "http2/heads.h"

#include "http2/body.h"
#include "http2/output.h"
#include "http2/request.h"
#include "http2/response.h"

static void reset_malformed(struct http2_session *session, int32_t id) {
    http2_check(session, nghttp2_submit_rst_stream(session->nghttp2, NGHTTP2_FLAG_NONE, id, NGHTTP2_PROTOCOL_ERROR));
    http2_output_charge(session, HTTP2_EXCESS_FAULTS, 1, HTTP2_FAULTS);
}

/* Refuses a message, by its head or later by its trailers. A client's stream is the owner's again. */
static void refuse(struct http2_stream *stream, unsigned status, enum http_fault fault, const char *error) {
    struct http2_session *session = stream->session;
    struct bytes head = session->in_trailers ? (struct bytes){0} : http2_head_bytes(&session->head);
    if (session->server) {
        stream->refused = stream->in_delivered = true;
    } else {
        http2_output_reset(stream, NGHTTP2_PROTOCOL_ERROR);
        stream->fault = fault;
    }
    session->handler->refused(stream, head, status, error);
}

/* Begins a request. False: it is refused, by the owner, or because its client has as many as it may have. */
static bool begin_request(struct http2_session *session, int32_t id) {
    bool may_begin = session->stream_count < session->streams_max;
    struct http2_stream *stream = may_begin ? session->handler->begin(session->owner) : NULL;
    if (stream == NULL) {
        http2_check(session, nghttp2_submit_rst_stream(session->nghttp2, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM));
        http2_output_charge(session, HTTP2_EXCESS_RESETS, 1, session->resets_max);
        return false;
    }
    http2_output_adopt(session, stream, id);
    nghttp2_session_set_stream_user_data(session->nghttp2, id, stream);
    return true;
}

int http2_heads_on_begin(nghttp2_session *nghttp2, const nghttp2_frame *frame, void *user_data) {
    struct http2_session *session = user_data;
    session->begun = NULL;
    if (frame->hd.type != NGHTTP2_HEADERS ||
        (session->server && frame->headers.cat == NGHTTP2_HCAT_REQUEST && !begin_request(session, frame->hd.stream_id))) {
        return session->failed ? NGHTTP2_ERR_CALLBACK_FAILURE : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    struct http2_stream *stream = http2_find(session, frame->hd.stream_id);
    if (stream == NULL || stream->refused) {
        return 0; /* its fields go nowhere */
    }
    session->begun = stream;
    session->in_trailers = stream->head_came;
    http2_head_begin(&session->head, session->in_trailers ? NULL : stream->message,
                     session->in_trailers ? HTTP_TRAILERS_MAX : session->head_size_max);
    return 0;
}

static enum http2_field take_trailer(struct http2_session *session, struct bytes name, struct bytes value) {
    struct http2_head *head = &session->head;
    if (!http2_head_count(head, name, value)) {
        return http2_head_is_hopeless(head) ? HTTP2_FIELD_TOO_MUCH : HTTP2_FIELD_TAKEN;
    }
    return http2_head_add_trailer(head, &session->memory, name, value) ? HTTP2_FIELD_TAKEN : HTTP2_FIELD_NO_MEMORY;
}

int http2_heads_on_field(nghttp2_session *nghttp2, const nghttp2_frame *frame, nghttp2_rcbuf *name_buffer,
                         nghttp2_rcbuf *value_buffer, uint8_t flags, void *user_data) {
    struct http2_session *session = user_data;
    nghttp2_vec name_vec = nghttp2_rcbuf_get_buf(name_buffer);
    nghttp2_vec value_vec = nghttp2_rcbuf_get_buf(value_buffer);
    struct bytes name = bytes_of(name_vec.base, name_vec.len);
    struct bytes value = bytes_of(value_vec.base, value_vec.len);
    enum http2_field result;
    if (session->begun == NULL) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    if (session->in_trailers) {
        result = take_trailer(session, name, value);
    } else if (session->server) {
        result = http2_request_field(&session->head, &session->memory, name, value);
    } else {
        result = http2_response_field(&session->head, &session->memory, name, value);
    }
    if (result == HTTP2_FIELD_TOO_MUCH) { /* nghttp2 goes on with the block, for its table, and checks no field more */
        http2_check(session, nghttp2_submit_rst_stream(session->nghttp2, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                                       NGHTTP2_ENHANCE_YOUR_CALM));
        http2_output_charge(session, HTTP2_EXCESS_HEADS, HTTP2_HEADS_HOPELESS, HTTP2_HEADS);
        return session->failed ? NGHTTP2_ERR_CALLBACK_FAILURE : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    session->failed = session->failed || result == HTTP2_FIELD_NO_MEMORY;
    return http2_result(session);
}

/* RFC 9113 section 8.2.1: a field that is not valid makes its message malformed. */
int http2_heads_on_invalid_field(nghttp2_session *nghttp2, const nghttp2_frame *frame, nghttp2_rcbuf *name,
                                 nghttp2_rcbuf *value, uint8_t flags, void *user_data) {
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

void http2_heads_set_urgency(struct http2_stream *stream, nghttp2_extpri priority) {
    struct http2_session *session = stream->session;
    priority.inc = 1;
    session->at_urgency[stream->urgency]--;
    stream->urgency = (uint8_t)priority.urgency;
    session->at_urgency[stream->urgency]++;
    if (list_is_linked(&stream->waiting)) {
        list_remove(&stream->waiting);
        list_append(&session->waiting[stream->urgency], &stream->waiting);
    }
    http2_check(session, nghttp2_session_change_extpri_stream_priority(session->nghttp2, stream->id, &priority, 1));
}

/* Reads Priority (RFC 9218 section 5), unless a PRIORITY_UPDATE has come before the request (section 7). */
static void read_priority(struct http2_stream *stream) {
    struct http2_session *session = stream->session;
    nghttp2_extpri priority = {.urgency = NGHTTP2_EXTPRI_DEFAULT_URGENCY};
    nghttp2_session_get_extpri_stream_priority(session->nghttp2, &priority, stream->id);
    const struct http_header *header = http_find_header(stream->message, session->head.arena.data, "priority");
    if (priority.urgency == NGHTTP2_EXTPRI_DEFAULT_URGENCY && priority.inc == 0 && header != NULL) {
        struct bytes value = http_view(session->head.arena.data, header->value);
        nghttp2_extpri_parse_priority(&priority, value.data, value.size);
    }
    http2_heads_set_urgency(stream, priority);
}

static void call_head(struct http2_stream *stream, bool end) {
    struct http2_session *session = stream->session;
    stream->in_ended = stream->in_delivered = end;
    session->handler->head(stream, http2_head_bytes(&session->head), end);
}

static void end_request(struct http2_stream *stream, bool end) {
    struct http2_session *session = stream->session;
    struct http_refusal refusal;
    stream->head_came = true;
    switch (http2_request_judge(&session->head, &session->memory, end, &refusal)) {
    case HTTP2_HEAD_GOOD:
        read_priority(stream);
        call_head(stream, end);
        break;
    case HTTP2_HEAD_REFUSED:
        stream->in_ended = end;
        if (refusal.status == 431) {
            http2_output_charge(session, HTTP2_EXCESS_HEADS, 1, HTTP2_HEADS);
        }
        refuse(stream, refusal.status, HTTP_FAULT_HEADER, refusal.error);
        break;
    case HTTP2_HEAD_MALFORMED:
        stream->refused = stream->in_delivered = true; /* closed() comes when RST_STREAM has left */
        reset_malformed(session, stream->id);
        break;
    case HTTP2_HEAD_NO_MEMORY:
        session->failed = true;
        break;
    }
}

static void end_response(struct http2_stream *stream, bool end) {
    struct http2_session *session = stream->session;
    enum http_fault fault = HTTP_FAULT_HEADER;
    const char *error = NULL;
    if (http2_response_judge(&session->head, stream->to_head, end, &fault, &error) == HTTP2_HEAD_REFUSED) {
        refuse(stream, 502, fault, error);
        return;
    }
    stream->head_came = stream->message->status >= 200;
    call_head(stream, end);
}

static void end_trailers(struct http2_stream *stream) {
    struct http2_session *session = stream->session;
    struct http2_head *head = &session->head;
    struct http_span span;
    if (head->too_large) {
        refuse(stream, session->server ? 431 : 502, HTTP_FAULT_TRAILERS, "the trailers are too large");
        return;
    }
    if ((head->arena.size > 0 && !http2_head_keep(head, &session->memory, bytes_of_string("\r\n"), &span)) ||
        !http2_queue_append(&stream->trailers_in, &session->memory, http2_head_bytes(head))) {
        session->failed = true;
        return;
    }
    http2_body_end(stream);
}

void http2_heads_end(struct http2_session *session, const nghttp2_frame *frame) {
    struct http2_stream *stream = session->begun;
    bool end = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    session->begun = NULL;
    if (stream == NULL) {
        return;
    }
    if (session->in_trailers) {
        end_trailers(stream);
    } else if (session->server) {
        end_request(stream, end);
    } else {
        end_response(stream, end);
    }
}
