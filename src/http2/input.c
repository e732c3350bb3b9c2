#include "http2/input.h"

#include "http2/body.h"
#include "http2/heads.h"
#include "http2/output.h"

const uint8_t http2_shut_down_ping[8] = {'s', 'h', 'u', 't', 'd', 'o', 'w', 'n'};

static void note_reset(struct http2_session *session, const nghttp2_frame *frame) {
    struct http2_stream *stream = http2_find(session, frame->hd.stream_id);
    if (stream != NULL) {
        stream->in_reset = true;
    }
    if (stream == NULL || session->now_s - stream->began_s < HTTP2_RESET_LATE_S) {
        http2_output_charge(session, HTTP2_EXCESS_RESETS, 1, session->resets_max);
    }
}

static void note_ping(struct http2_session *session, const nghttp2_frame *frame) {
    if (frame->hd.flags & NGHTTP2_FLAG_ACK && session->shutting_down &&
        memcmp(frame->ping.opaque_data, http2_shut_down_ping, sizeof http2_shut_down_ping) == 0) {
        session->shutting_down = false;
        session->goaway_due = true;
    }
}

static void note_priority(struct http2_session *session, const nghttp2_frame *frame) {
    const nghttp2_ext_priority_update *update = frame->ext.payload;
    struct http2_stream *stream = http2_find(session, update->stream_id);
    nghttp2_extpri priority = {.urgency = NGHTTP2_EXTPRI_DEFAULT_URGENCY};
    if (stream != NULL && nghttp2_extpri_parse_priority(&priority, update->field_value, update->field_value_len) == 0) {
        http2_heads_set_urgency(stream, priority);
    }
}

static int on_frame(nghttp2_session *nghttp2, const nghttp2_frame *frame, void *user_data) {
    struct http2_session *session = user_data;
    struct http2_stream *stream;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
        http2_heads_end(session, frame);
        break;
    case NGHTTP2_DATA:
        stream = frame->hd.flags & NGHTTP2_FLAG_END_STREAM ? http2_find(session, frame->hd.stream_id) : NULL;
        if (stream != NULL) {
            http2_body_end(stream);
        }
        break;
    case NGHTTP2_RST_STREAM:
        note_reset(session, frame);
        break;
    case NGHTTP2_PING:
        note_ping(session, frame);
        break;
    case NGHTTP2_GOAWAY: /* nghttp2 closes the streams above it next */
        session->taken_id = (uint32_t)frame->goaway.last_stream_id;
        break;
    case NGHTTP2_PRIORITY_UPDATE:
        note_priority(session, frame);
        break;
    default:
        break;
    }
    return http2_result(session);
}

static int on_invalid_frame(nghttp2_session *nghttp2, const nghttp2_frame *frame, int error, void *user_data) {
    struct http2_session *session = user_data;
    http2_output_charge(session, HTTP2_EXCESS_FAULTS, 1, HTTP2_FAULTS);
    return http2_result(session);
}

/* A client's stream whose response is complete stays until its owner has taken the body. */
static int on_close(nghttp2_session *nghttp2, int32_t id, uint32_t error, void *user_data) {
    struct http2_session *session = user_data;
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
    struct http2_session *session = user_data;
    uint32_t id = (uint32_t)head->stream_id;
    if (!session->server || head->type != NGHTTP2_HEADERS) {
        return 0;
    }
    if (is_closed(session, id) && !session->goaway_sent) {
        enum http2_closed_how how = http2_closed_find(&session->closed, id);
        if (how == HTTP2_CLOSED_MAYBE_RESET) { /* many are reset at once, and all their trailers may be on their way */
            http2_output_charge(session, HTTP2_EXCESS_FAULTS, 1, HTTP2_FAULTS);
        } else if (how != HTTP2_CLOSED_RESET) {
            http2_output_terminate(session, how == HTTP2_CLOSED_ENDED ? NGHTTP2_STREAM_CLOSED : NGHTTP2_PROTOCOL_ERROR);
        }
    }
    session->last_id = id > session->last_id ? id : session->last_id;
    return http2_result(session);
}

/* Judges the frames that nghttp2 lets pass: RFC 9113 sections 5.1 and 6.3, RFC 7540 section 5.3.1. */
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
 * Returns the error of a WINDOW_UPDATE for a stream (RFC 9113 sections 6.9 and 6.9.1). nghttp2 would make one of the
 * connection of it.
 */
static uint32_t window_fault_of(const struct http2_session *session, const struct http2_frame *frame) {
    int32_t window = nghttp2_session_get_stream_remote_window_size(session->nghttp2, (int32_t)frame->stream_id);
    if (window < 0 || frame->length != HTTP2_FRAME_LOOK_MAX) {
        return NGHTTP2_NO_ERROR;
    }
    if (frame->increment == 0) {
        return NGHTTP2_PROTOCOL_ERROR;
    }
    return frame->increment > (uint32_t)(INT32_MAX - window) ? NGHTTP2_FLOW_CONTROL_ERROR : NGHTTP2_NO_ERROR;
}

/* Resets a stream at once, if there is room: then nghttp2 passes over the frame that is to blame. */
static void reset_now(struct http2_session *session, uint32_t id, uint32_t fault) {
    http2_check(session, nghttp2_submit_rst_stream(session->nghttp2, NGHTTP2_FLAG_NONE, (int32_t)id, fault));
    http2_output_charge(session, HTTP2_EXCESS_FAULTS, 1, HTTP2_FAULTS);
    http2_output_flush(session);
}

/*
 * Looks at the frames of a client's input before nghttp2 gets them. Returns the part that nghttp2 has not got yet; nothing
 * of a frame that ends the session.
 */
static struct bytes look_through(struct http2_session *session, struct bytes input) {
    struct bytes rest = input;
    bool crumb = input.size < HTTP2_CRUMB_SIZE;
    struct http2_frame frame;
    for (;;) {
        http2_frames_skip(&session->frames, &rest);
        struct bytes before = bytes_of(input.data, input.size - rest.size);
        if (!http2_frames_next(&session->frames, &rest, &frame)) {
            if (crumb && !http2_frames_are_whole(&session->frames) && ++session->crumbs % HTTP2_CRUMBS_PER_POINT == 0) {
                http2_output_charge(session, HTTP2_EXCESS_EMPTY_FRAMES, 1, HTTP2_EMPTY_FRAMES);
            }
            return input;
        }
        crumb = false;
        if (!session->server) {
            continue;
        }
        enum http2_excess excess = http2_allowance_frame(&session->allowance, &frame, session->now_s);
        bool opens = frame.type == NGHTTP2_WINDOW_UPDATE && frame.stream_id != 0;
        bool judged = frame.type == NGHTTP2_DATA || frame.type == NGHTTP2_PRIORITY || opens;
        if (excess != HTTP2_EXCESS_NONE || judged) { /* the frames before this one decide on the state of its stream */
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
        fault = opens ? window_fault_of(session, &frame) : NGHTTP2_NO_ERROR;
        if (fault != NGHTTP2_NO_ERROR) {
            reset_now(session, frame.stream_id, fault);
        }
    }
}

void http2_input_set_callbacks(nghttp2_session_callbacks *callbacks) {
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, http2_heads_on_begin);
    nghttp2_session_callbacks_set_on_header_callback2(callbacks, http2_heads_on_field);
    nghttp2_session_callbacks_set_on_invalid_header_callback2(callbacks, http2_heads_on_invalid_field);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, http2_body_on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
}

void http2_input_take(struct http2_session *session, struct bytes input) {
    give_to_nghttp2(session, look_through(session, input));
}
