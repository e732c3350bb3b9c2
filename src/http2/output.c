#include "http2/output.h"

#include "base/ascii.h"
#include "base/check.h"
#include "http2/fields.h"

enum {
    HELD_MAX = HTTP2_DATA_MAX, /* the last piece of a body, which waits for the end so that one frame has both */
    /* Bytes of DATA that are worth a frame when there is no room for all. So a smaller one was cut by the window. */
    PIECE_MIN = HTTP2_CUT_SIZE,
    SETTING_SIZE = 6,
    SETTINGS_MAX = 8, /* in a frame of ours */
};

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t bytes_to_send(const struct http2_stream *stream) {
    const struct http2_session *session = stream->session;
    return stream->out.size + (session->passing_of == stream ? session->passing.size : 0);
}

/* --- The body ------------------------------------------------------------------------------------------------------ */

static bool submit_trailers(struct http2_stream *stream) {
    struct http2_session *session = stream->session;
    struct http2_fields fields;
    bool done = http2_fields_of_trailers(&fields, &session->memory, http2_queue_front(&stream->trailers_out));
    if (done) {
        done = http2_check(session, nghttp2_submit_trailer(session->nghttp2, stream->id, fields.all, fields.count));
        http2_fields_release(&fields, &session->memory);
    }
    http2_queue_clear(&stream->trailers_out, &session->memory);
    session->failed = session->failed || !done;
    return done;
}

/* Tells nghttp2 how much of a body the next frame takes. */
static nghttp2_ssize read_body(nghttp2_session *nghttp2, int32_t id, uint8_t *to, size_t most, uint32_t *flags,
                               nghttp2_data_source *source, void *user_data) {
    struct http2_session *session = user_data;
    struct http2_stream *stream = http2_find(session, id);
    if (stream == NULL) {
        return NGHTTP2_ERR_DEFERRED; /* it has been reset, and its RST_STREAM is on its way */
    }
    size_t waiting = bytes_to_send(stream);
    if (waiting == 0 && !stream->out_ended) {
        return NGHTTP2_ERR_DEFERRED;
    }
    size_t room = session->handler->output_room(session->owner);
    size_t wanted = smaller(smaller(waiting, most), HTTP2_DATA_MAX);
    if (room < HTTP2_FRAME_HEAD_SIZE + smaller(wanted, PIECE_MIN)) {
        return NGHTTP2_ERR_PAUSE;
    }
    size_t size = smaller(wanted, room - HTTP2_FRAME_HEAD_SIZE);
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (size == waiting && stream->out_ended) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (stream->has_trailers) {
            *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
            if (!submit_trailers(stream)) {
                return NGHTTP2_ERR_CALLBACK_FAILURE;
            }
        }
    }
    return (nghttp2_ssize)size;
}

/* Writes a frame that read_body has promised: what waits first, then the piece that passes. */
static int send_data(nghttp2_session *nghttp2, nghttp2_frame *frame, const uint8_t *frame_head, size_t size,
                     nghttp2_data_source *source, void *user_data) {
    struct http2_session *session = user_data;
    struct http2_stream *stream = http2_find(session, frame->hd.stream_id);
    struct http2_guard guard; /* output() may find the owner's connection at its end, and reset all streams */
    CHECK(stream != NULL && size <= bytes_to_send(stream));
    http2_guard_begin(&guard, stream);
    stream->out_sent += size;
    session->handler->output(session->owner, bytes_of(frame_head, HTTP2_FRAME_HEAD_SIZE));
    http2_allowance_sent(&session->allowance, size, bytes_to_send(stream));
    while (size > 0 && guard.stream != NULL && stream->out.size > 0) {
        struct bytes front = http2_queue_front(&stream->out);
        front.size = smaller(front.size, size);
        session->handler->output(session->owner, front);
        if (guard.stream != NULL) {
            http2_queue_drop(&stream->out, &session->memory, front.size);
        }
        session->out_fresh -= smaller(session->out_fresh, front.size);
        size -= front.size;
    }
    if (size > 0 && guard.stream != NULL) {
        session->handler->output(session->owner, bytes_of(session->passing.data, size));
        session->passing = bytes_of(session->passing.data + size, session->passing.size - size);
    }
    http2_guard_end(&guard, session);
    return 0;
}

/* --- Frames that leave --------------------------------------------------------------------------------------------- */

static int note_sent(nghttp2_session *nghttp2, const nghttp2_frame *frame, void *user_data) {
    struct http2_session *session = user_data;
    bool message = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        session->fault = frame->goaway.error_code;
        session->goaway_sent = session->goaway_sent || frame->goaway.last_stream_id < INT32_MAX;
    }
    if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code == NGHTTP2_ENHANCE_YOUR_CALM &&
        session->excess == HTTP2_EXCESS_NONE) {
        session->excess = HTTP2_EXCESS_FAULTS; /* by a bound of nghttp2's own, on frames for streams that are gone */
    }
    if (!session->server || !message || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) {
        return 0;
    }
    struct http2_stream *stream = http2_find(session, frame->hd.stream_id);
    if (stream != NULL) {
        stream->out_left_whole = true;
    }
    http2_allowance_answered(&session->allowance);
    return 0;
}

/* A head that cannot be sent, because it is too large, leaves its stream without one. */
static int note_not_sent(nghttp2_session *nghttp2, const nghttp2_frame *frame, int error, void *user_data) {
    struct http2_session *session = user_data;
    if (frame->hd.type != NGHTTP2_HEADERS || http2_find(session, frame->hd.stream_id) == NULL) {
        return 0;
    }
    int result = nghttp2_submit_rst_stream(nghttp2, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_INTERNAL_ERROR);
    return http2_check(session, result) ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

void http2_output_set_callbacks(nghttp2_session_callbacks *callbacks) {
    nghttp2_session_callbacks_set_send_data_callback(callbacks, send_data);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, note_sent);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, note_not_sent);
}

/* It names the last stream that has come, for a client may begin streams behind its answer to the PING. */
static void submit_goaway(struct http2_session *session) {
    session->goaway_due = false;
    http2_check(session,
                nghttp2_submit_goaway(session->nghttp2, NGHTTP2_FLAG_NONE,
                                      nghttp2_session_get_last_proc_stream_id(session->nghttp2), NGHTTP2_NO_ERROR, NULL, 0));
}

static void tell_streams_max(const struct http2_session *session, uint8_t *settings, size_t size) {
    for (size_t at = 0; at + SETTING_SIZE <= size; at += SETTING_SIZE) {
        if ((settings[at] << 8 | settings[at + 1]) == NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS) {
            for (unsigned i = 0; i < 4; i++) {
                settings[at + 2 + i] = (uint8_t)(session->streams_max >> (24 - 8 * i));
            }
        }
    }
}

/*
 * Has a frame leave. nghttp2 ends the session of a client that begins more streams than it was told, where RFC 9113 section
 * 5.1.2 has the stream alone refused. So nghttp2 knows no bound: the client learns of it here, and http2/heads keeps to it.
 */
static void send_frame(struct http2_session *session, struct bytes frame) {
    uint8_t settings[HTTP2_FRAME_HEAD_SIZE + SETTINGS_MAX * SETTING_SIZE];
    if (session->server && frame.data[3] == NGHTTP2_SETTINGS) {
        CHECK(frame.size >= HTTP2_FRAME_HEAD_SIZE && frame.size <= sizeof settings);
        memcpy(settings, frame.data, frame.size);
        tell_streams_max(session, settings + HTTP2_FRAME_HEAD_SIZE, frame.size - HTTP2_FRAME_HEAD_SIZE);
        frame.data = settings;
    }
    session->handler->output(session->owner, frame);
}

void http2_output_flush(struct http2_session *session) {
    if (session->busy || session->failed) {
        return;
    }
    session->busy = true;
    while (session->handler->output_room(session->owner) > 0) {
        if (session->goaway_due) {
            submit_goaway(session);
        }
        const uint8_t *frames;
        nghttp2_ssize size = nghttp2_session_mem_send2(session->nghttp2, &frames);
        if (!http2_check(session, (int)size) || size == 0) {
            session->out_fresh = 0; /* the rest waits for windows, and takes no room from other streams */
            break;
        }
        send_frame(session, bytes_of(frames, (size_t)size));
    }
    session->busy = false;
}

void http2_output_terminate(struct http2_session *session, uint32_t error) {
    http2_check(session, nghttp2_session_terminate_session(session->nghttp2, error));
}

void http2_output_refuse(struct http2_session *session, enum http2_excess excess) {
    session->excess = session->excess == HTTP2_EXCESS_NONE ? excess : session->excess;
    http2_output_terminate(session, NGHTTP2_ENHANCE_YOUR_CALM);
}

void http2_output_charge(struct http2_session *session, enum http2_excess kind, uint32_t points, uint32_t most) {
    if (session->server && !http2_allowance_take(&session->allowance, kind, points, most, session->now_s)) {
        http2_output_refuse(session, kind);
    }
}

/* --- Streams that come and go -------------------------------------------------------------------------------------- */

void http2_output_adopt(struct http2_session *session, struct http2_stream *stream, int32_t id) {
    *stream = (struct http2_stream){.message = stream->message,
                                    .session = session,
                                    .id = id,
                                    .urgency = NGHTTP2_EXTPRI_DEFAULT_URGENCY,
                                    .to_head = stream->to_head,
                                    .began_s = session->now_s,
                                    .out_left = UINT64_MAX};
    list_append(&session->streams, &stream->in_session);
    session->stream_count++;
    session->at_urgency[stream->urgency]++;
}

void http2_output_forget(struct http2_stream *stream) {
    struct http2_session *session = stream->session;
    if (list_is_linked(&stream->in_session)) {
        list_remove(&stream->in_session);
        session->stream_count -= !stream->gone;
        session->left_count -= stream->left;
        session->at_urgency[stream->urgency]--;
        session->grown -= stream->grown;
    }
    if (list_is_linked(&stream->waiting)) {
        list_remove(&stream->waiting);
    }
    if (session->passing_of == stream) {
        session->passing_of = NULL;
    }
    for (struct http2_guard *guard = session->guards; guard != NULL; guard = guard->outer) {
        guard->stream = guard->stream == stream ? NULL : guard->stream;
    }
    if (session->begun == stream) {
        session->begun = NULL;
        session->head.message = NULL;
    }
    if (stream->in.size > 0) {
        http2_check(session, nghttp2_session_consume_connection(session->nghttp2, stream->in.size));
    }
    http2_queue_clear(&stream->in, &session->memory);
    session->out_fresh -= smaller(session->out_fresh, stream->out.size);
    http2_queue_clear(&stream->out, &session->memory);
    http2_queue_clear(&stream->trailers_in, &session->memory);
    http2_queue_clear(&stream->trailers_out, &session->memory);
}

void http2_output_reset(struct http2_stream *stream, uint32_t error) {
    struct http2_session *session = stream->session;
    if (!stream->gone) {
        nghttp2_session_set_stream_user_data(session->nghttp2, stream->id, NULL);
        http2_check(session, nghttp2_submit_rst_stream(session->nghttp2, NGHTTP2_FLAG_NONE, stream->id, error));
    }
    http2_output_forget(stream);
}

void http2_output_bury(struct http2_stream *stream) {
    struct http2_session *session = stream->session;
    if (session->busy || !stream->gone || stream->left || !list_is_linked(&stream->in_session)) {
        return;
    }
    uint32_t error = stream->error;
    http2_output_forget(stream);
    session->handler->closed(stream, error);
}

void http2_output_bury_all(struct http2_session *session) {
    while (!session->busy && !list_is_empty(&session->gone)) {
        http2_output_bury(CONTAINER_OF(list_first(&session->gone), struct http2_stream, in_session));
    }
}

/* --- Room ---------------------------------------------------------------------------------------------------------- */

/* Returns the bytes of body that the peer takes now. */
static size_t window_of(const struct http2_stream *stream) {
    nghttp2_session *nghttp2 = stream->session->nghttp2;
    int64_t own = nghttp2_session_get_stream_remote_window_size(nghttp2, stream->id);
    if (own < 0 && nghttp2_session_find_stream(nghttp2, stream->id) == NULL) { /* client: the head has not left */
        own = nghttp2_session_get_remote_settings(nghttp2, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE);
    }
    int64_t whole = nghttp2_session_get_remote_window_size(nghttp2);
    int64_t window = own < whole ? own : whole;
    return window > 0 ? (size_t)window : 0;
}

/* Returns how many bytes the owner's output takes, behind those that are about to leave. */
static size_t output_room(const struct http2_session *session) {
    size_t room = session->handler->output_room(session->owner);
    return room > session->out_fresh ? room - session->out_fresh : 0;
}

/* Returns whether there are streams that are less urgent than that. */
static bool goes_first(const struct http2_session *session, size_t urgency) {
    for (size_t i = urgency + 1; i < HTTP2_URGENCIES; i++) {
        if (session->at_urgency[i] > 0) {
            return true;
        }
    }
    return false;
}

static size_t room_of(const struct http2_stream *stream) {
    size_t waiting = bytes_to_send(stream);
    if (stream->gone || stream->out_ended) {
        return 0;
    }
    if (waiting < HTTP2_AHEAD_MAX && stream->session->memory.used < HTTP2_AHEAD_ALL &&
        goes_first(stream->session, stream->urgency)) {
        return HTTP2_AHEAD_MAX - waiting;
    }
    if (waiting > 0) {
        return 0;
    }
    return smaller(smaller(window_of(stream), output_room(stream->session)), HTTP2_ROOM_MAX);
}

size_t http2_output_room(struct http2_stream *stream) {
    size_t room = room_of(stream);
    if (room == 0 && !stream->gone && !list_is_linked(&stream->waiting)) {
        list_append(&stream->session->waiting[stream->urgency], &stream->waiting);
    }
    return room;
}

void http2_output_offer(struct http2_session *session) {
    if (session->busy || session->handing) {
        return;
    }
    session->handing = true;
    for (size_t urgency = 0; urgency < HTTP2_URGENCIES; urgency++) {
        struct list *waiting = &session->waiting[urgency];
        struct list left;
        list_init(&left);
        list_move_all(&left, waiting);
        bool first = goes_first(session, urgency);
        while (!list_is_empty(&left) && (first || output_room(session) > 0)) {
            struct http2_stream *stream = CONTAINER_OF(list_first(&left), struct http2_stream, waiting);
            list_remove(&stream->waiting);
            if (http2_output_room(stream) > 0) { /* else it waits on */
                session->handler->room(stream);
            }
        }
        list_move_all(&left, waiting); /* streams whose turn has not come are the first of the next turns */
        list_move_all(waiting, &left);
    }
    session->handing = false;
}

/* --- Messages ------------------------------------------------------------------------------------------------------ */

static const nghttp2_data_provider2 body_provider = {.read_callback = read_body};

/* Returns the value of Content-Length in the text of a head, or UINT64_MAX. */
static uint64_t length_of(const struct http2_fields *fields) {
    for (size_t i = 0; i < fields->count; i++) {
        const nghttp2_nv *field = &fields->all[i];
        if (!bytes_equal_ignoring_case(bytes_of(field->name, field->namelen), bytes_of_string("content-length"))) {
            continue;
        }
        uint64_t length = 0;
        for (size_t at = 0; at < field->valuelen && ascii_is_digit(field->value[at]) && length < INT64_MAX / 10; at++) {
            length = length * 10 + (field->value[at] - '0');
        }
        return length;
    }
    return UINT64_MAX;
}

bool http2_output_request(struct http2_session *session, struct http2_stream *stream, struct bytes head, const char *scheme,
                          bool end) {
    struct http2_fields fields;
    if (!http2_fields_of_request(&fields, &session->memory, head, scheme)) {
        return false;
    }
    uint64_t length = length_of(&fields);
    int32_t id =
        nghttp2_submit_request2(session->nghttp2, NULL, fields.all, fields.count, end ? NULL : &body_provider, stream);
    http2_fields_release(&fields, &session->memory);
    if (id < 0) {
        return false;
    }
    http2_output_adopt(session, stream, id);
    stream->to_head = head.size >= 5 && memcmp(head.data, "HEAD ", 5) == 0;
    stream->head_sent = true;
    stream->out_ended = end;
    stream->out_left = length;
    session->open_count++;
    return true;
}

bool http2_output_head(struct http2_stream *stream, struct bytes head, bool end) {
    struct http2_session *session = stream->session;
    struct http2_fields fields;
    if (stream->gone || session->failed) {
        return !session->failed;
    }
    CHECK(!stream->head_sent);
    if (!http2_fields_of_response(&fields, &session->memory, head)) {
        session->failed = true;
        return false;
    }
    bool informational = fields.all[0].value[0] == '1';
    int result;
    if (informational) {
        result =
            nghttp2_submit_headers(session->nghttp2, NGHTTP2_FLAG_NONE, stream->id, NULL, fields.all, fields.count, NULL);
    } else {
        result =
            nghttp2_submit_response2(session->nghttp2, stream->id, fields.all, fields.count, end ? NULL : &body_provider);
        stream->head_sent = true;
        stream->out_ended = end;
        stream->out_left = length_of(&fields);
    }
    http2_fields_release(&fields, &session->memory);
    return http2_check(session, result);
}

/* Has nghttp2 ask for the body again. It has the stream not yet where its head has not left: then it asks by itself. */
static bool resume(struct http2_stream *stream) {
    int result = nghttp2_session_resume_data(stream->session->nghttp2, stream->id);
    return result == NGHTTP2_ERR_INVALID_ARGUMENT || http2_check(stream->session, result);
}

/* Returns whether the piece is the last of its body, and small: then its frame can end the stream, if it waits for the end.
 */
static bool is_last(struct http2_stream *stream, size_t size) {
    if (stream->out_left != UINT64_MAX) {
        stream->out_left = size < stream->out_left ? stream->out_left - size : 0;
    }
    return stream->out_left == 0 && stream->out.size + size <= HELD_MAX;
}

static bool queue(struct http2_stream *stream, struct bytes piece) {
    struct http2_session *session = stream->session;
    if (!http2_queue_append(&stream->out, &session->memory, piece)) {
        session->failed = true;
        return false;
    }
    session->out_fresh += piece.size;
    return resume(stream);
}

bool http2_output_send(struct http2_stream *stream, struct bytes piece) {
    struct http2_session *session = stream->session;
    if (stream->gone || session->failed || piece.size == 0) {
        return !session->failed;
    }
    CHECK(stream->head_sent && !stream->out_ended);
    if (is_last(stream, piece.size) || session->busy || stream->out.size > 0) {
        return queue(stream, piece);
    }
    struct http2_guard guard;
    session->passing = piece;
    session->passing_of = stream;
    http2_guard_begin(&guard, stream);
    if (resume(stream)) {
        http2_output_flush(session);
    }
    bool is_there = http2_guard_end(&guard, session); /* closed() is not called here, but output() may reset streams */
    session->passing_of = NULL;
    piece = session->passing;
    if (session->failed || !is_there || stream->gone || piece.size == 0) {
        return !session->failed;
    }
    return queue(stream, piece);
}

bool http2_output_end(struct http2_stream *stream, struct bytes trailers) {
    struct http2_session *session = stream->session;
    if (stream->gone || session->failed) {
        return !session->failed;
    }
    CHECK(stream->head_sent && !stream->out_ended);
    stream->out_ended = true;
    stream->has_trailers = trailers.size > 0;
    if (!http2_queue_append(&stream->trailers_out, &session->memory, trailers)) {
        session->failed = true;
        return false;
    }
    return resume(stream);
}
