/* The state of a session, which its parts share: session, input, output. Other folders include http2/session.h. */
#ifndef HTTP2_STATE_H
#define HTTP2_STATE_H

#include "http2/allowance.h"
#include "http2/closed.h"
#include "http2/frames.h"
#include "http2/head.h"
#include "http2/stream.h"

#include <nghttp2/nghttp2.h>

enum {
    HTTP2_URGENCIES = NGHTTP2_EXTPRI_URGENCY_LEVELS,
    /* Bytes of DATA in one frame: with its head it fills one record of TLS. */
    HTTP2_DATA_MAX = 16 * 1024 - HTTP2_FRAME_HEAD_SIZE,
    /* Bytes that http2_stream_room offers at most: what a stream may have to copy when its piece does not leave. */
    HTTP2_ROOM_MAX = 64 * 1024,
    /*
     * Bytes that wait for a stream as long as others are less urgent. With less the peer's window would go to those in the
     * time in which an origin sends the next piece of the urgent one.
     */
    HTTP2_AHEAD_MAX = 256 * 1024,
    HTTP2_AHEAD_ALL = 1024 * 1024, /* bytes that a session may have from malloc for such streams to get more */
};

/* Tells a function that calls its owner's whether the stream is still there behind the call. */
struct http2_guard {
    struct http2_guard *outer;
    struct http2_stream *stream; /* NULL: it is not the session's any more */
};

struct http2_session {
    nghttp2_session *nghttp2;
    struct http2_memory memory; /* without this struct */
    const struct http2_handler *handler;
    void *owner;
    struct list streams;                  /* that are not gone */
    struct list gone;                     /* that closed() is to be called for */
    struct list waiting[HTTP2_URGENCIES]; /* for room */
    uint64_t now_s;
    struct bytes passing;            /* a piece that may leave without a copy, during http2_stream_send */
    struct http2_stream *passing_of; /* its stream; NULL when there is none */
    struct http2_guard *guards;      /* of the calls that are in progress */
    struct http2_stream *begun;      /* the stream whose head or trailers come */
    struct http2_head head;          /* that comes */
    struct http2_frames frames;      /* that come */
    struct http2_allowance allowance;
    struct http2_closed closed; /* server */
    uint32_t last_id;           /* server: the last stream that the client has opened */
    enum http2_excess excess;
    size_t out_fresh; /* bytes of bodies that wait although it is not known yet that they cannot leave */
    uint32_t fault;   /* the error code of a GOAWAY that was sent */
    uint32_t head_size_max;
    uint32_t stream_window;
    uint32_t stream_window_max;
    uint32_t growth_max;
    uint32_t grown; /* bytes by which the windows of all streams have grown */
    uint32_t resets_max;
    uint32_t streams_max;                 /* server */
    uint32_t crumbs;                      /* that have come: see http2/allowance */
    uint32_t stream_count;                /* in `streams` */
    uint32_t at_urgency[HTTP2_URGENCIES]; /* streams in `streams` and `gone` */
    uint32_t left_count;                  /* client: in `streams`, without nghttp2, with a response that is not taken yet */
    uint32_t open_count;                  /* client: streams that nghttp2 has, also those that have been reset here */
    uint32_t taken_id;                    /* client: the last stream that a GOAWAY has named as taken; 0: none */
    bool server;
    bool heard;         /* a byte has come */
    bool busy;          /* nghttp2 runs: no frames are made meanwhile */
    bool handing;       /* closed() and room() are being called */
    bool failed;        /* out of memory */
    bool shutting_down; /* a PING is out, whose answer has GOAWAY sent */
    bool goaway_due;    /* that GOAWAY is to be made, just before it leaves: no stream may come in between */
    bool goaway_sent;   /* one that names the last stream */
    bool in_trailers;   /* the head that comes is a section of trailers */
};

/* Returns the stream of that ID, or NULL when it is not its owner's any more. */
static inline struct http2_stream *http2_find(const struct http2_session *session, int32_t id) {
    return (struct http2_stream *)nghttp2_session_get_stream_user_data(session->nghttp2, id);
}

/* Notes an error of nghttp2's: out of memory, or a callback that has failed for that. Returns whether there is none. */
static inline bool http2_check(struct http2_session *session, int result) {
    session->failed = session->failed || result == NGHTTP2_ERR_NOMEM || result == NGHTTP2_ERR_CALLBACK_FAILURE;
    return result >= 0;
}

/* Returns the result of a callback: out of memory ends the session. */
static inline int http2_result(const struct http2_session *session) {
    return session->failed ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static inline void http2_guard_begin(struct http2_guard *guard, struct http2_stream *stream) {
    *guard = (struct http2_guard){stream->session->guards, stream};
    stream->session->guards = guard;
}

/* Returns whether the stream is still the session's. */
static inline bool http2_guard_end(struct http2_guard *guard, struct http2_session *session) {
    session->guards = guard->outer;
    return guard->stream != NULL;
}

#endif
