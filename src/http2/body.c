#include "http2/body.h"

/* Opens the peer's windows by bytes that have been taken; that of the stream only as long as there is one. */
static void consume(struct http2_session *session, int32_t id, size_t size) {
    if (size > 0) {
        http2_check(session, nghttp2_session_consume(session->nghttp2, id, size));
    }
}

void http2_body_widen(struct http2_stream *stream, uint32_t window) {
    nghttp2_session *nghttp2 = stream->session->nghttp2;
    if (nghttp2_session_get_stream_effective_local_window_size(nghttp2, stream->id) < (int32_t)window &&
        nghttp2_session_find_stream(nghttp2, stream->id) != NULL) {
        http2_check(stream->session,
                    nghttp2_session_set_local_window_size(nghttp2, NGHTTP2_FLAG_NONE, stream->id, (int32_t)window));
    }
}

/* Opens the window of a stream whose owner takes its body as it comes: a stream that stands still gets no more. */
static void note_taken(struct http2_stream *stream, bool gone, size_t taken) {
    if (gone || stream->in_taken >= stream->session->stream_window) {
        return;
    }
    struct http2_session *session = stream->session;
    uint32_t grows_by =
        session->stream_window_max > session->stream_window ? session->stream_window_max - session->stream_window : 0;

    stream->in_taken += (uint32_t)taken;
    /* A stream may stand still later, with all that its window lets come. */
    if (stream->in_taken >= session->stream_window && session->grown + grows_by <= session->growth_max) {
        stream->grown = grows_by;
        session->grown += grows_by;
        http2_body_widen(stream, session->stream_window_max);
    }
}

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

void http2_body_resume(struct http2_stream *stream) {
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
        note_taken(stream, gone, taken);
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

int http2_body_on_data(nghttp2_session *nghttp2, uint8_t flags, int32_t id, const uint8_t *data, size_t size,
                       void *user_data) {
    struct http2_session *session = user_data;
    struct http2_stream *stream = http2_find(session, id);
    if (stream == NULL || stream->refused) {
        consume(session, id, size);
        return http2_result(session);
    }
    struct bytes piece = bytes_of(data, size);
    bool gone = false;
    while (!gone && piece.size > 0 && stream->in.size == 0) {
        size_t taken = give(stream, piece, &gone);
        consume(session, id, taken);
        note_taken(stream, gone, taken);
        piece = bytes_of(piece.data + taken, piece.size - taken);
        if (gone || taken == 0 || !stream->resumed) {
            break;
        }
    }
    if (!gone && piece.size > 0 && !http2_queue_append(&stream->in, &session->memory, piece)) {
        session->failed = true;
    }
    return http2_result(session);
}

void http2_body_end(struct http2_stream *stream) {
    stream->in_ended = true;
    if (stream->in.size == 0 && !stream->in_delivered) {
        deliver_end(stream);
    }
}
