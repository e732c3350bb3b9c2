/* Streams of HTTP/2, the functions of owners that sessions call, and settings: owners and sessions share them. */
#ifndef HTTP2_STREAM_H
#define HTTP2_STREAM_H

#include "base/list.h"
#include "http/parser.h"
#include "http2/queue.h"

/* Error codes of RFC 9113 section 7 that owners use. */
enum http2_error {
    HTTP2_NO_ERROR = 0,
    HTTP2_PROTOCOL_ERROR = 1,
    HTTP2_INTERNAL_ERROR = 2,
    HTTP2_FLOW_CONTROL_ERROR = 3,
    HTTP2_REFUSED_STREAM = 7, /* nothing was done for the request: it may be sent again */
    HTTP2_CANCEL = 8,
    HTTP2_CONNECT_ERROR = 10,
    HTTP2_ENHANCE_YOUR_CALM = 11,
};

struct http2_session;

/*
 * A stream, which its owner embeds, with `message`, `headers` and `headers_max` of it set. The rest is the session's, from
 * begin() or http2_session_open until closed(), http2_stream_reset, refused() of a client or the session's end; owners may
 * read what stands above the line.
 */
struct http2_stream {
    struct http_message *message; /* where a head goes that comes; not used once the final head has come */
    struct http2_session *session;
    uint64_t out_sent; /* bytes of the body that have left */
    int32_t id;
    uint8_t urgency;       /* RFC 9218: 0 (first) to 7 */
    bool to_head;          /* client: the request's method is HEAD */
    bool head_came;        /* the final head */
    bool head_sent;        /* the final head */
    bool in_ended;         /* the peer has said its last word */
    bool in_reset;         /* the peer has reset it */
    bool out_left_whole;   /* server: the last frame of the answer has been made */
    bool out_ended;        /* http2_stream_end was called, or http2_stream_head with `end` */
    enum http_fault fault; /* client: why refused() was called */

    /* --- */
    bool refused;      /* refused() was called: what comes is dropped */
    bool in_delivered; /* the owner knows of the end */
    bool delivering;   /* body() runs */
    bool resumed;      /* http2_stream_resume was called meanwhile */
    bool gone;         /* nghttp2 has it no more */
    bool left;         /* client: likewise, but its owner has not taken the whole response yet */
    bool has_trailers; /* to be sent */
    uint32_t grown;    /* bytes by which its window has */
    uint32_t in_taken; /* bytes of the body that the owner has taken, until its window is wide */
    uint32_t error;    /* once gone: for closed() */
    uint64_t began_s;
    uint64_t out_left;               /* by Content-Length: bytes of body that are still to be sent; UINT64_MAX: not known */
    struct list in_session;          /* of all streams, or of those that are gone */
    struct list waiting;             /* for room */
    struct http2_queue in;           /* body that the owner has not taken yet, and that the peer's windows still count */
    struct http2_queue out;          /* body that has not left yet */
    struct http2_queue trailers_in;  /* a section of trailers, as http_parser_trailers gives it, in one piece */
    struct http2_queue trailers_out; /* likewise */
};

/*
 * Functions of the session's owner. All run from http2_session_receive or http2_session_flush, but for these: output() and
 * output_room() run wherever frames leave; body(), end() and closed() run for a stream from its http2_stream_resume too, and
 * closed() from the call that says the stream's last word: http2_stream_end, or http2_stream_head with `end`. Each may call
 * any function of this module but http2_session_free and http2_session_receive; output() may reset streams when the
 * connection is at its end, and calls no other. Frames of the others leave when the outer function is through.
 */
struct http2_handler {
    /* Server: a request begins. Returns its stream, or NULL: it is refused, and may be sent again. */
    struct http2_stream *(*begin)(void *owner);
    /*
     * A head is complete and fit to be relayed: server, the request's; client, a response's, which may be informational.
     * stream->message is filled, as http/parser fills it from HTTP/1.1 text, but with `http2` set; its spans are good during
     * this call only. `end`: no body follows, and end() is not called.
     */
    void (*head)(struct http2_stream *stream, struct bytes head, bool end);
    /*
     * Server: a request is not to be relayed, because of its head, or later because of its trailers: answer `status` (400,
     * 414, 417, 431, 501); no body() and no end() follow. Client: status is 502, stream->fault says why; the stream has
     * been reset, and is the owner's again. `head` is as much of a refused head as has been kept, as for head(); empty:
     * nothing has, or it is the trailers that are refused. `error` is a static text. A head that is not even HTTP/2 (RFC
     * 9113 section 8.1.1) has its stream reset: closed() comes, without this.
     */
    void (*refused)(struct http2_stream *stream, struct bytes head, unsigned status, const char *error);
    /* A piece of the body, valid during the call, if the stream is not reset. Returns how many of its bytes were taken; the
     * rest comes again behind http2_stream_resume. */
    size_t (*body)(struct http2_stream *stream, struct bytes piece);
    /* The message that comes is complete; `trailers` is its section of trailers, as http_parser_trailers gives it. */
    void (*end)(struct http2_stream *stream, struct bytes trailers);
    /* http2_stream_room was 0 and is not any more. */
    void (*room)(struct http2_stream *stream);
    /*
     * The stream is gone, and its owner's again: by the peer's RST_STREAM, by GOAWAY, because of a fault, or because both
     * sides have ended (HTTP2_NO_ERROR). Of a client's it comes behind end() when the response was complete.
     */
    void (*closed)(struct http2_stream *stream, uint32_t error);
    /* Frames leave. The owner takes all of `frames`. */
    void (*output)(void *owner, struct bytes frames);
    /* Returns how many bytes of frames may leave now; 0: http2_session_flush is called again when there is room. */
    size_t (*output_room)(void *owner);
};

struct http2_settings {
    uint32_t streams_max;       /* server: concurrent streams, SETTINGS_MAX_CONCURRENT_STREAMS; one more is refused */
    uint32_t head_size_max;     /* bytes of a head: names, values and 4 for each field. A request beyond it: 431 */
    uint32_t stream_window;     /* bytes of a body that may come before the owner takes any, up to 2^31-1 */
    uint32_t stream_window_max; /* as many from the time on when the owner has taken stream_window bytes of the body */
    uint32_t growth_max;        /* bytes by which the windows of all streams may have grown so, taken together */
    uint32_t connection_window; /* bytes of bodies that may come on all streams, 65535 to 2^31-1 */
    bool extended_connect;      /* server: SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 8441) */
};

enum http2_outcome {
    HTTP2_GOES_ON,
    HTTP2_OVER,      /* the last frame is out, a GOAWAY maybe: the connection is to be ended */
    HTTP2_NO_MEMORY, /* the session is of no use any more */
};

#endif
