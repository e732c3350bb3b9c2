/*
 * One connection of HTTP/2 (RFC 9113, with RFC 7541, 8441 and 9218) by nghttp2: bytes in, events out, frames out. A session
 * is either a server's, whose streams are requests of a client, or a client's, whose streams are requests to an origin. It
 * opens no socket and has no policy; its owner has both.
 *
 * Bodies flow with exact backpressure in both directions. What a stream's owner does not take yet of a body that comes waits
 * here, and the peer's window opens again only when it is taken. What the peer's window, or the owner's output, has no room
 * for waits here too: http2_stream_room says how much more is welcome.
 *
 * All memory is from malloc, and counted: http2_session_memory. One thread only.
 */
#ifndef HTTP2_SESSION_H
#define HTTP2_SESSION_H

#include "http/message.h"
#include "http2/allowance.h"
#include "http2/queue.h"

/* Error codes of RFC 9113 section 7 that owners use. */
enum http2_error {
    HTTP2_NO_ERROR = 0,
    HTTP2_PROTOCOL_ERROR = 1,
    HTTP2_INTERNAL_ERROR = 2,
    HTTP2_REFUSED_STREAM = 7, /* nothing was done for the request: it may be sent again */
    HTTP2_CANCEL = 8,
    HTTP2_CONNECT_ERROR = 10,
    HTTP2_ENHANCE_YOUR_CALM = 11,
};

struct http2_session;

/*
 * A stream, which its owner embeds, with `message`, `headers` and `headers_max` of it set. The rest is the session's, from
 * begin() or http2_session_open until closed(), http2_stream_reset or the session's end.
 */
struct http2_stream {
    struct http_message *message; /* where a head goes that comes; not used once the final head has come */
    struct http2_session *session;
    int32_t id;
    uint8_t urgency; /* RFC 9218: 0 (first) to 7 */
    bool head_came;  /* the final head */
    bool head_sent;
    bool in_ended;                   /* the peer has said its last word */
    bool in_delivered;               /* ... and end() has told the owner */
    bool out_ended;                  /* http2_stream_end was called */
    bool out_blocked;                /* http2_stream_room was 0: room() will be called */
    bool to_head;                    /* client: the request's method is HEAD */
    uint32_t in_held;                /* bytes of `in` that the peer's windows still count */
    struct http2_queue in;           /* body that the owner has not taken yet */
    struct http2_queue out;          /* body that has not left yet */
    struct bytes passing;            /* during http2_stream_send: the piece, which is not copied if it can leave at once */
    struct http2_queue trailers_in;  /* a section of trailers, as http_parser_trailers gives it */
    struct http2_queue trailers_out; /* likewise */
};

/*
 * Functions of the session's owner. All run from http2_session_receive or http2_session_flush; http2_stream_resume calls
 * body() and end(), and http2_stream_send calls output(). Each may call any function of this module but http2_session_free
 * and those two of the session; output waits until http2_session_receive returns.
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
     * The head of a request is not to be relayed: answer `status` (400, 413, 417, 431, 501). Client: status is 502, `fault`
     * says why, and the stream has been reset. `error` is a static text. A head that is not even HTTP/2 (RFC 9113 section
     * 8.1.1) has its stream reset: closed() comes, without this.
     */
    void (*refused)(struct http2_stream *stream, unsigned status, const char *error);
    /* A piece of the body, valid during the call. Returns how many of its bytes were taken; the rest comes again behind
     * http2_stream_resume. */
    size_t (*body)(struct http2_stream *stream, struct bytes piece);
    /* The message that comes is complete; `trailers` is its section of trailers, as http_parser_trailers gives it. */
    void (*end)(struct http2_stream *stream, struct bytes trailers);
    /* http2_stream_room was 0 and is not any more. */
    void (*room)(struct http2_stream *stream);
    /* The stream is gone, by the peer's RST_STREAM, by GOAWAY, because of a fault, or because both sides have ended. */
    void (*closed)(struct http2_stream *stream, uint32_t error);
    /* Frames leave. The owner takes all of `frames`. */
    void (*output)(void *owner, struct bytes frames);
    /* Returns how many bytes of frames may leave now; 0: http2_session_flush is called again when there is room. */
    size_t (*output_room)(void *owner);
};

struct http2_settings {
    uint32_t streams_max;   /* server: concurrent streams, SETTINGS_MAX_CONCURRENT_STREAMS */
    uint32_t head_size_max; /* bytes of a head; names, values and 4 for each field are counted. A request beyond it: 431 */
    uint32_t stream_window; /* bytes of a body that may come before the owner takes any, up to 2^31-1 */
    uint32_t connection_window; /* likewise for all streams together, 65535 at least */
    bool extended_connect;      /* server: SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 8441) */
};

enum http2_outcome {
    HTTP2_GOES_ON,
    HTTP2_OVER,      /* the last frame is out, a GOAWAY maybe: the connection is to be ended */
    HTTP2_NO_MEMORY, /* the session is of no use any more */
};

/* NULL when out of memory. `handler` and `owner` must outlive it. The first frames leave with the next flush. */
struct http2_session *http2_session_server(const struct http2_settings *settings, const struct http2_handler *handler,
                                           void *owner);
struct http2_session *http2_session_client(const struct http2_settings *settings, const struct http2_handler *handler,
                                           void *owner);
/* Frees it, and what it has of its streams. closed() is not called. NULL is allowed. */
void http2_session_free(struct http2_session *session);

/* Takes bytes that have come, and then flushes. `now_s` is of a clock that only goes forward. */
enum http2_outcome http2_session_receive(struct http2_session *session, struct bytes input, uint64_t now_s);
/* Has frames leave as long as there are any and output_room is not 0. */
enum http2_outcome http2_session_flush(struct http2_session *session);
/* Returns why the session has ended itself (HTTP2_EXCESS_NONE: it has not, or by a plain fault of protocol). */
enum http2_excess http2_session_excess(const struct http2_session *session);
/* Returns the streams that are not gone. */
uint32_t http2_session_streams(const struct http2_session *session);
/* Returns the bytes of memory that the session and its streams have from malloc. */
size_t http2_session_memory(const struct http2_session *session);
/* Returns whether anything waits to leave, or is not complete: a part of a frame, a head that goes on in the next one. */
bool http2_session_is_idle(const struct http2_session *session);
/*
 * Server: ends the session when its streams are through (RFC 9113 section 6.8): a first GOAWAY takes all streams, and one
 * that names the last follows when the client has answered a PING, which shows that it has read the first.
 */
void http2_session_shut_down(struct http2_session *session);
/* Queues a GOAWAY with that code. No stream is taken any more, and the session is HTTP2_OVER when the frame is out. */
void http2_session_terminate(struct http2_session *session, enum http2_error error);

/*
 * Client: asks. `head` is a request's head as http_write_request writes it (it is changed), `scheme` "http" or "https". 0,
 * -EAGAIN when the origin takes no more streams now, -ESHUTDOWN when it takes none on this connection, or -ENOMEM.
 */
int http2_session_open(struct http2_session *session, struct http2_stream *stream, struct bytes head, const char *scheme,
                       bool end);
/* Client: returns how many more requests the origin takes now. 0 after its GOAWAY. */
uint32_t http2_session_vacancies(const struct http2_session *session);

/*
 * Sends a head: server, of an answer, written as http_write_response or http_write_reply writes it (it is changed), with the
 * body of a reply behind it left out. Fields that belong to one HTTP/1 connection (Connection, Transfer-Encoding ...) are
 * left out. An informational head may come before the final one. `end`: nothing follows. False: out of memory.
 */
bool http2_stream_head(struct http2_stream *stream, struct bytes head, bool end);
/* Sends a piece of the body, copied as far as it cannot leave at once. False: out of memory. */
bool http2_stream_send(struct http2_stream *stream, struct bytes piece);
/* Ends the message that is sent; `trailers`: lines that each end in CRLF, or empty. A request that is still on its way when
 * its answer has left is asked to stop, by RST_STREAM with NO_ERROR (RFC 9113 section 8.1). */
bool http2_stream_end(struct http2_stream *stream, struct bytes trailers);
/* Returns how many bytes of body are welcome now: 0 when the peer's windows are shut, or enough waits already. */
size_t http2_stream_room(struct http2_stream *stream);
/* The owner can take more of the body: calls body() and end() for what waits. The stream may be gone when this returns. */
void http2_stream_resume(struct http2_stream *stream);
/* Resets the stream. It is its owner's again at once: no handler is called for it any more. */
void http2_stream_reset(struct http2_stream *stream, enum http2_error error);

#endif
