#include "http2/input.h"

#include "http2/output.h"
#include "http2/request.h"
#include "http2/response.h"

const uint8_t http2_shut_down_ping[8] = {'s', 'h', 'u', 't', 'd', 'o', 'w', 'n'};

static struct http2_session *session_of(void *user_data) {
    return user_data;
}

/* Returns the result of a callback: out of memory ends the session. */
static int result_of(const struct http2_session *session) {
    return session->failed ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

/* Opens the peer's windows by bytes that have been taken; that of the stream only as long as there is one. */
static void consume(struct http2_session *session, int32_t id, size_t size) {
    if (size > 0) {
        http2_check(session, nghttp2_session_consume(session->nghttp2, id, size));
    }
}

/* Counts something that the client may do too often. */
static void count(struct http2_session *session, enum http2_excess kind, uint32_t points, uint32_t most) {
    if (session->server && !http2_allowance_take(&session->allowance, kind, points, most, session->now_s)) {
        http2_output_refuse(session, kind);
    }
}

static void reset_malformed(struct http2_session *session, int32_t id) {
    http2_check(session, nghttp2_submit_rst_stream(session->nghttp2, NGHTTP2_FLAG_NONE, id, NGHTTP2_PROTOCOL_ERROR));
    count(session, HTTP2_EXCESS_FAULTS, 1, HTTP2_FAULTS);
}

/* Refuses a message. A client's stream is the owner's again. */
static void refuse(struct http2_stream *stream, unsigned status, enum http_fault fault, const char *error) {
    struct http2_session *session = stream->session;
    if (session->server) {
        stream->refused = stream->in_delivered = true;
    } else {
        http2_output_reset(stream, NGHTTP2_PROTOCOL_ERROR);
        stream->fault = fault;
    }
    session->handler->refused(stream, status, error);
}

/* --- Bodies -------------------------------------------------------------------------------------------------------- */

static void deliver_end(struct http2_stream *stream) {
    struct http2_session *session = stream->session;
    struct http2_queue trailers = stream->trailers_in;
    struct http2_guard guard;
    stream->trailers_in = (struct http2_queue){0};
    stream->in_delivered = true;
    session->left_count -= stream->left;
    bool left = stream->left;
    stream->left = false;
    http2_guard_begin(&guard, stream);
    session->handler->end(stream, http2_queue_front(&trailers));
    if (http2_guard_end(&guard, session) && left) {
        list_remove(&stream->in_session);
        list_append(&session->gone, &stream->in_session);
    }
    http2_queue_clear(&trailers, &session->memory);
}

/* Gives the owner a piece. Returns how many of its bytes are done with: all when the stream is gone, which `*gone` says. */
static size_t give(struct http2_stream *stream, struct bytes piece, bool *gone) {
    struct http2_session *session = stream->session;
    struct http2_guard guard;
    size_t taken;
    stream->delivering = true;
    stream->resumed = false;
    http2_guard_begin(&guard, stream);
    taken = session->handler->body(stream, piece);
    *gone = !http2_guard_end(&guard, session);
    if (*gone) {
        return piece.size;
    }
    stream->delivering = false;
    return taken;
}

void http2_input_resume(struct http2_stream *stream) {
    struct http2_session *session = stream->session;
    if (stream->delivering || (stream->gone && !stream->left)) {
        stream->resumed = true;
        return;
    }
    int32_t id = stream->id;
    struct http2_queue queue = stream->in; /* the stream may go while its owner reads */
    bool gone = false;
    bool more = true;
    stream->in = (struct http2_queue){0};
    while (!gone && more && queue.size > 0) {
        struct bytes piece = http2_queue_front(&queue);
        size_t taken = give(stream, piece, &gone);
        more = gone || taken == piece.size || (taken > 0 && stream->resumed);
        consume(session, id, taken);
        http2_queue_drop(&queue, &session->memory, taken);
    }
    if (gone) {
        consume(session, id, queue.size);
        http2_queue_clear(&queue, &session->memory);
        return;
    }
    stream->in = queue;
    if (queue.size == 0 && stream->in_ended && !stream->in_delivered) {
        deliver_end(stream);
    }
}

static int on_data(nghttp2_session *nghttp2, uint8_t flags, int32_t id, const uint8_t *data, size_t size, void *user_data) {
    struct http2_session *session = session_of(user_data);
    struct http2_stream *stream = http2_find(session, id);
    if (stream == NULL || stream->refused) {
        consume(session, id, size);
        return result_of(session);
    }
    struct bytes piece = bytes_of(data, size);
    bool gone = false;
    while (!gone && piece.size > 0 && stream->in.size == 0) {
        size_t taken = give(stream, piece, &gone);
        consume(session, id, taken);
        piece = bytes_of(piece.data + taken, piece.size - taken);
        if (gone || taken == 0 || !stream->resumed) {
            break;
        }
    }
    if (!gone && piece.size > 0 && !http2_queue_append(&stream->in, &session->memory, piece)) {
        session->failed = true;
    }
    return result_of(session);
}

static void note_end(struct http2_stream *stream) {
    stream->in_ended = true;
    if (stream->in.size == 0 && !stream->in_delivered) {
        deliver_end(stream);
    }
}

/* --- Heads --------------------------------------------------------------------------------------------------------- */

/* Begins a request. False: it is refused. */
static bool begin_request(struct http2_session *session, int32_t id) {
    struct http2_stream *stream = session->handler->begin(session->owner);
    if (stream == NULL) {
        http2_check(session, nghttp2_submit_rst_stream(session->nghttp2, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM));
        return false;
    }
    http2_output_adopt(session, stream, id);
    nghttp2_session_set_stream_user_data(session->nghttp2, id, stream);
    return true;
}

static int on_begin_headers(nghttp2_session *nghttp2, const nghttp2_frame *frame, void *user_data) {
    struct http2_session *session = session_of(user_data);
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

static int on_header(nghttp2_session *nghttp2, const nghttp2_frame *frame, nghttp2_rcbuf *name_buffer,
                     nghttp2_rcbuf *value_buffer, uint8_t flags, void *user_data) {
    struct http2_session *session = session_of(user_data);
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
        count(session, HTTP2_EXCESS_HEADS, HTTP2_HEADS_HOPELESS, HTTP2_HEADS);
        return session->failed ? NGHTTP2_ERR_CALLBACK_FAILURE : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    session->failed = session->failed || result == HTTP2_FIELD_NO_MEMORY;
    return result_of(session);
}

/* RFC 9113 section 8.2.1: a field that is not valid makes its message malformed. */
static int on_invalid_header(nghttp2_session *nghttp2, const nghttp2_frame *frame, nghttp2_rcbuf *name, nghttp2_rcbuf *value,
                             uint8_t flags, void *user_data) {
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

/* Sets the stream's urgency. All streams of one urgency take turns, so that none waits for another's end. */
static void set_urgency(struct http2_stream *stream, nghttp2_extpri priority) {
    struct http2_session *session = stream->session;
    priority.inc = 1;
    stream->urgency = (uint8_t)priority.urgency;
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
    set_urgency(stream, priority);
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
            count(session, HTTP2_EXCESS_HEADS, 1, HTTP2_HEADS);
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
    note_end(stream);
}

static void end_head(struct http2_session *session, const nghttp2_frame *frame) {
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

/* --- Other frames -------------------------------------------------------------------------------------------------- */

static void note_reset(struct http2_session *session, const nghttp2_frame *frame) {
    const struct http2_stream *stream = http2_find(session, frame->hd.stream_id);
    if (stream == NULL || session->now_s - stream->began_s < HTTP2_RESET_LATE_S) {
        count(session, HTTP2_EXCESS_RESETS, 1, session->resets_max);
    }
}

static void note_ping(struct http2_session *session, const nghttp2_frame *frame) {
    if (frame->hd.flags & NGHTTP2_FLAG_ACK && session->shutting_down &&
        memcmp(frame->ping.opaque_data, http2_shut_down_ping, sizeof http2_shut_down_ping) == 0) {
        session->shutting_down = false;
        http2_check(session, nghttp2_submit_goaway(session->nghttp2, NGHTTP2_FLAG_NONE,
                                                   nghttp2_session_get_last_proc_stream_id(session->nghttp2),
                                                   NGHTTP2_NO_ERROR, NULL, 0));
    }
}

static void note_priority(struct http2_session *session, const nghttp2_frame *frame) {
    const nghttp2_ext_priority_update *update = frame->ext.payload;
    struct http2_stream *stream = http2_find(session, update->stream_id);
    nghttp2_extpri priority = {.urgency = NGHTTP2_EXTPRI_DEFAULT_URGENCY};
    if (stream != NULL && nghttp2_extpri_parse_priority(&priority, update->field_value, update->field_value_len) == 0) {
        set_urgency(stream, priority);
    }
}

static int on_frame(nghttp2_session *nghttp2, const nghttp2_frame *frame, void *user_data) {
    struct http2_session *session = session_of(user_data);
    struct http2_stream *stream;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
        end_head(session, frame);
        break;
    case NGHTTP2_DATA:
        stream = frame->hd.flags & NGHTTP2_FLAG_END_STREAM ? http2_find(session, frame->hd.stream_id) : NULL;
        if (stream != NULL) {
            note_end(stream);
        }
        break;
    case NGHTTP2_RST_STREAM:
        note_reset(session, frame);
        break;
    case NGHTTP2_PING:
        note_ping(session, frame);
        break;
    case NGHTTP2_PRIORITY_UPDATE:
        note_priority(session, frame);
        break;
    default:
        break;
    }
    return result_of(session);
}

static int on_invalid_frame(nghttp2_session *nghttp2, const nghttp2_frame *frame, int error, void *user_data) {
    struct http2_session *session = session_of(user_data);
    if (error == NGHTTP2_ERR_REFUSED_STREAM) {
        http2_closed_note(&session->closed, (uint32_t)frame->hd.stream_id, false);
        count(session, HTTP2_EXCESS_RESETS, 1, session->resets_max);
    } else {
        count(session, HTTP2_EXCESS_FAULTS, 1, HTTP2_FAULTS);
    }
    return result_of(session);
}

/* A client's stream whose response is complete stays until its owner has taken the body. */
static int on_close(nghttp2_session *nghttp2, int32_t id, uint32_t error, void *user_data) {
    struct http2_session *session = session_of(user_data);
    struct http2_stream *stream = http2_find(session, id);
    session->open_count -= !session->server;
    if (session->server) {
        http2_closed_note(&session->closed, (uint32_t)id, nghttp2_session_get_stream_remote_close(nghttp2, id) == 1);
    }
    if (stream == NULL) {
        return 0;
    }
    stream->left = !session->server && stream->in_ended && !stream->in_delivered;
    stream->gone = true;
    stream->error = error;
    session->stream_count--;
    session->left_count += stream->left;
    if (!stream->left) {
        list_remove(&stream->in_session);
        list_append(&session->gone, &stream->in_session);
    }
    return 0;
}

/* --- Input --------------------------------------------------------------------------------------------------------- */

/* These errors end nghttp2's session without a GOAWAY of its own. */
static void note_fatal(struct http2_session *session, int error) {
    switch (error) {
    case NGHTTP2_ERR_FLOODED:
        http2_output_refuse(session, HTTP2_EXCESS_PINGS);
        break;
    case NGHTTP2_ERR_TOO_MANY_CONTINUATIONS:
        http2_output_refuse(session, HTTP2_EXCESS_CONTINUATIONS);
        break;
    default:
        http2_check(session, error);
        if (!session->failed) {
            http2_output_terminate(session, NGHTTP2_PROTOCOL_ERROR);
        }
        break;
    }
}

static void give_to_nghttp2(struct http2_session *session, struct bytes input) {
    if (input.size == 0 || session->failed) {
        return;
    }
    session->busy = true;
    nghttp2_ssize taken = nghttp2_session_mem_recv2(session->nghttp2, input.data, input.size);
    session->busy = false;
    if (taken < 0) {
        note_fatal(session, (int)taken);
    }
}

/* Returns whether the frame's stream has been, and is no more. */
static bool is_closed(const struct http2_session *session, uint32_t id) {
    return id % 2 == 1 && id <= session->last_id && nghttp2_session_find_stream(session->nghttp2, (int32_t)id) == NULL;
}

/* RFC 9113 section 5.1. nghttp2 passes over frames for streams that are closed. */
static int on_begin_frame(nghttp2_session *nghttp2, const nghttp2_frame_hd *head, void *user_data) {
    struct http2_session *session = session_of(user_data);
    uint32_t id = (uint32_t)head->stream_id;
    if (!session->server || head->type != NGHTTP2_HEADERS) {
        return 0;
    }
    if (is_closed(session, id) && !session->goaway_sent) {
        enum http2_closed_how how = http2_closed_find(&session->closed, id);
        if (how != HTTP2_CLOSED_RESET) {
            http2_output_terminate(session, how == HTTP2_CLOSED_ENDED ? NGHTTP2_STREAM_CLOSED : NGHTTP2_PROTOCOL_ERROR);
        }
    }
    session->last_id = id > session->last_id ? id : session->last_id;
    return result_of(session);
}

/* Judges what nghttp2 lets pass: RFC 9113 sections 5.1 and 6.3, RFC 7540 section 5.3.1. */
static uint32_t fault_of(const struct http2_session *session, const struct http2_frame *frame) {
    if (frame->type == NGHTTP2_PRIORITY && (frame->stream_id == 0 || frame->dependency == frame->stream_id)) {
        return NGHTTP2_PROTOCOL_ERROR;
    }
    if (frame->type == NGHTTP2_DATA && is_closed(session, frame->stream_id) &&
        http2_closed_find(&session->closed, frame->stream_id) == HTTP2_CLOSED_ENDED) {
        return NGHTTP2_STREAM_CLOSED;
    }
    return NGHTTP2_NO_ERROR;
}

/*
 * Looks at the frames of a client's input before nghttp2 gets them. Returns the part that nghttp2 has not got yet; nothing
 * of a frame that ends the session.
 */
static struct bytes look_through(struct http2_session *session, struct bytes input) {
    struct bytes rest = input;
    struct http2_frame frame;
    for (;;) {
        http2_frames_skip(&session->frames, &rest);
        struct bytes before = bytes_of(input.data, input.size - rest.size);
        if (!http2_frames_next(&session->frames, &rest, &frame)) {
            return input;
        }
        if (!session->server) {
            continue;
        }
        enum http2_excess excess = http2_allowance_frame(&session->allowance, &frame, session->now_s);
        bool judged = frame.type == NGHTTP2_DATA || frame.type == NGHTTP2_PRIORITY;
        if (excess != HTTP2_EXCESS_NONE || judged) { /* what comes before decides on the state of the stream */
            give_to_nghttp2(session, before);
            input = bytes_of(input.data + before.size, input.size - before.size);
        }
        uint32_t fault = judged ? fault_of(session, &frame) : NGHTTP2_NO_ERROR;
        if (excess != HTTP2_EXCESS_NONE) {
            http2_output_refuse(session, excess);
            return bytes_of(NULL, 0);
        }
        if (fault != NGHTTP2_NO_ERROR) {
            http2_output_terminate(session, fault);
            return bytes_of(NULL, 0);
        }
    }
}

void http2_input_set_callbacks(nghttp2_session_callbacks *callbacks) {
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback2(callbacks, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback2(callbacks, on_invalid_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
}

void http2_input_take(struct http2_session *session, struct bytes input) {
    give_to_nghttp2(session, look_through(session, input));
    if (session->begun == NULL) {
        http2_head_release(&session->head, &session->memory);
    }
}
