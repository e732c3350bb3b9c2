/*
 * The streams of a client's HTTP/2 connection, each of which carries an exchange, and the calls of the connection's session.
 * All events of the streams are here; the connection's stages are in edge/http2.
 */
#ifndef EDGE_HTTP2_STREAM_H
#define EDGE_HTTP2_STREAM_H

#include "edge/connection.h"
#include "edge/exchange.h"
#include "http2/session.h"

enum {
    HTTP2_STREAMS_VALID = 1000,       /* concurrent streams of a client with a valid certificate */
    HTTP2_STREAMS_OTHERS = 100,       /* ... and of any other: RFC 9113 section 6.5.2 asks for 100 at least */
    HTTP2_STREAM_WINDOW = 65536,      /* bytes of a request's body that may come before its origin takes any */
    HTTP2_STREAM_WINDOW_MAX = 262144, /* ... and when the origin has taken so many */
    HTTP2_WINDOW_VALID = 16777216,    /* ... for all streams of a connection whose client has a valid certificate */
    HTTP2_WINDOW_OTHERS = 4194304,    /* ... and of any other client */
    HTTP2_LAST_WORD_MS = 5000,        /* that a client has for its answer to a first GOAWAY */
};

enum {
    /*
     * Some clients lose an answer when a reset comes while they send the rest of their request, or wait for a window that
     * they do not look at any more (curl 7.88). So as much as a client may well send behind its answer is let in and
     * dropped.
     */
    HTTP2_DISCARD_MAX = 1024 * 1024, /* bytes */
    HTTP2_DISCARD_MS = 1000,         /* and how long that may take */
};

/* An exchange with what HTTP/2 needs to carry it. */
struct http2_exchange {
    struct exchange exchange;
    struct http2_stream stream;
    struct pace pace;          /* of the client, at this stream */
    struct list in_connection; /* its list of streams, or of those that are gone */
    struct list in_waiting;
    uint64_t sent_then;    /* stream.out_sent when the deadline was set */
    uint32_t discard_left; /* bytes of a body behind its answer that may still be read and dropped */
    bool ended;            /* the answer's last frame is queued */
    bool answered;         /* the answer is queued, whole */
    bool over;             /* exchange_end was called */
    bool closed;           /* the session has the stream no more */
    bool hasty;            /* the client has ended its half of a tunnel before the tunnel has begun */
};

static inline struct http2_exchange *http2_of_exchange(const struct exchange *exchange) {
    return CONTAINER_OF(exchange, struct http2_exchange, exchange);
}

static inline struct connection *http2_connection(const struct http2_exchange *http2) {
    return http2->exchange.owner;
}

/* Carries the exchanges: http2_carrier.c. */
extern const struct exchange_carrier http2_carrier;

/* Makes the connection's session, without streams. NULL when out of memory. */
struct http2_session *http2_stream_session(struct connection *connection, const struct http2_settings *settings);
/*
 * Each call of the session that may call back stands between these two. A callback may end the connection; what it has is
 * freed behind the last call that is on the stack.
 */
void http2_enter(struct connection *connection);
void http2_leave(struct connection *connection);
/*
 * Has the session's frames leave at the end of the turn, together with those of its other streams; the connection's stage
 * follows then, too.
 */
void http2_flush_later(struct connection *connection);
/* Takes no more streams; the client learns it in two steps, so that none which is on its way is lost. */
void http2_shut_down(struct connection *connection);
/*
 * The client has said its last word: ends the streams whose requests are not complete and never will be. An answer that is
 * queued already leaves whole first: for that this is called again when frames have left.
 */
void http2_end_cut_off(struct connection *connection);
/* The client is gone perhaps: tells all exchanges (relay_exchange_doubt). */
void http2_doubt_all(struct connection *connection);
/* The connection ends: ends all its exchanges, and frees the session. */
void http2_drop_all(struct connection *connection);

/* For http2_carrier.c. The answer is queued. */
void http2_finish_answer(struct http2_exchange *http2);
/* Ends the stream by RST_STREAM, and its exchange. */
void http2_reset_stream(struct http2_exchange *http2, enum http2_error error);

#endif
