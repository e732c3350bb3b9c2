/*
 * One request and its response: the struct, and what is the same whatever protocol the origin speaks (lifetime.c). The rest
 * is reached by the exchange's transport, which is in http1.c or http2.c. With HTTP/1 request.c sends, response.c reads, and
 * tunnel.c has exchanges that are no HTTP, or not any more; channel.c has the connections of HTTP/2, and seats.c the way to
 * them. dispatch.c takes exchanges of either kind to their origins.
 */
#ifndef RELAY_EXCHANGE_H
#define RELAY_EXCHANGE_H

#include "http/gather.h"
#include "http2/session.h"
#include "relay/pool.h"

enum {
    /*
     * At first the buffer holds the request as far as it may have to be sent (again): its head, and the body that came
     * before a connection was made, for which the contract of relay_exchange_body is 16 KiB. Once the first byte of the
     * response is there, a response head that comes in several deliveries, or is to be mended, is gathered in it; behind it
     * is the list of the head's headers. Trailers that are wanted come last, at the front, with the names that may not be
     * among them at EXCHANGE_NAMES_AT, where no head reaches. The size is of address space: only the pages that are used
     * cost memory.
     */
    EXCHANGE_BUFFER_SIZE = RELAY_REQUEST_HEAD_MAX + 32 * 1024,
    EXCHANGE_NAMES_AT = EXCHANGE_BUFFER_SIZE - RELAY_RESPONSE_HEAD_MAX,
    EXCHANGE_MEMORY_SIZE = EXCHANGE_BUFFER_SIZE + RELAY_RESPONSE_HEADERS_MAX * (int)sizeof(struct http_header),
};
/* A head that is mended grows by a byte a line, of which no head that is accepted has more than its headers and two. */
_Static_assert((int)EXCHANGE_BUFFER_SIZE >= 2 * (int)RELAY_RESPONSE_HEAD_MAX + (int)RING_RECEIVE_SIZE,
               "one buffer serves all");
_Static_assert((int)EXCHANGE_NAMES_AT >= (int)RELAY_RESPONSE_HEAD_MAX + RELAY_RESPONSE_HEADERS_MAX + 2,
               "names that are kept lie behind every head");
_Static_assert((int)EXCHANGE_NAMES_AT >= (int)HTTP_TRAILERS_MAX && EXCHANGE_BUFFER_SIZE % _Alignof(struct http_header) == 0,
               "one buffer serves all");

enum exchange_state {
    EXCHANGE_CONNECTING,
    EXCHANGE_HEAD,    /* the request is on its way, the final response's head is awaited */
    EXCHANGE_BODY,    /* the head has been delivered */
    EXCHANGE_ENDED,   /* HTTP/2: the response has been delivered, and the stream is not gone yet */
    EXCHANGE_TUNNEL,  /* a 101 has been delivered, or the exchange is `bare`: bytes pass as they come */
    EXCHANGE_FAILING, /* without connection; failed() comes from the timer */
    EXCHANGE_ABORTED, /* without connection; aborted by one of its own handlers, which has not returned yet */
};

/* The next step of the origin that is waited for, each with a deadline of its own. */
enum exchange_wait {
    WAIT_NOTHING, /* the client's turn */
    WAIT_LINE,    /* an origin has room */
    WAIT_CONNECT,
    WAIT_SEND, /* the origin takes what is queued, or most of it */
    WAIT_HEAD,
    WAIT_BODY, /* the next piece of the body */
};

/* The functions that an exchange needs of the protocol that its origin speaks. Only `timed_out` calls handlers. */
struct exchange_transport {
    /* Takes or opens a connection. False when none could even be begun: exchange->fault may say why. */
    bool (*begin)(struct relay_exchange *exchange);
    /* Has the exchange go to this origin. False when that could not even be begun, likewise. Calls no handler. */
    bool (*go)(struct relay_exchange *exchange, struct relay_origin *origin);
    /* The deadline for what exchange->wait names has passed. Returns whether the exchange goes on, or has been ended. */
    bool (*timed_out)(struct relay_exchange *exchange);
    /* As relay_exchange_room. */
    size_t (*room)(struct relay_exchange *exchange);
    /* Give a piece of the body, which is not empty, or its end. False: out of memory. */
    bool (*body)(struct relay_exchange *exchange, struct bytes piece);
    bool (*body_end)(struct relay_exchange *exchange, struct bytes trailers);
    /* More of the response may come. */
    void (*resume)(struct relay_exchange *exchange);
    /*
     * Returns whether the origin is to take more of the request: something that was given waits, or nothing more may be
     * given before the origin has taken some.
     */
    bool (*is_sending)(struct relay_exchange *exchange);
    /* Parts from the connection, if there is one. Nothing more of the response is wanted. */
    void (*drop)(struct relay_exchange *exchange);
};

extern const struct exchange_transport exchange_http1;
extern const struct exchange_transport exchange_http2;
/* Takes or opens a connection for each HTTP/1 exchange that was put off to the end of the turn. */
void exchange_begin_put_off(struct ring_task *task);

/* The part of an exchange that only HTTP/2 has. */
struct exchange_stream {
    struct http2_stream stream;
    struct relay_channel *channel; /* NULL: it waits for one, or is over */
    struct list link;              /* among the channel's exchanges, or those that wait for one */
    struct list resumed;           /* among those of the channel that take more of their bodies */
    uint32_t head_size; /* bytes of the buffer: the request's head, which is first, and its trailers, which are last */
    uint32_t trailers_size;
    uint64_t seated_ms; /* when it was given its stream */
    uint32_t refusals;  /* how often the origin has said that it has not begun the request */
    uint64_t given; /* bytes of body that the session was given, and that had left when the deadline was looked at last */
    uint64_t moved;
};

struct relay_exchange {
    const struct exchange_transport *transport;
    struct relay *relay;
    const struct relay_handler *handler;
    void *owner;
    struct relay_host *host;
    struct relay_connection *connection; /* NULL only while put off, failing or aborted */
    struct timer timer;
    struct list in_turn; /* HTTP/1: among those of the relay that begin at the end of the turn */
    struct list in_line; /* among those of the host that wait for an origin with room */
    uint8_t *buffer;     /* EXCHANGE_MEMORY_SIZE; NULL once the response's head is complete, unless trailers are wanted */
    uint32_t buffered;   /* bytes of the request in the buffer, or in the kept one */
    /* The buffer with the request, while another one is in use for a response that may be one to send it again for; or NULL.
     */
    uint8_t *kept;
    struct http_gather gather;  /* HTTP/1: of the response's head */
    uint32_t names_size;        /* bytes at EXCHANGE_NAMES_AT: what the head's Connection lists, while trailers are wanted */
    struct balance_tried tried; /* origins that were chosen */
    uint64_t place;             /* of the request on its connection: see link_place */
    enum exchange_state state;
    enum exchange_wait wait;
    struct relay_origin *origin; /* the last that was chosen; NULL: none */
    struct relay_origin *at;     /* the one at which it counts as in flight: `origin`, or NULL */
    uint64_t client_hash;        /* this and the next one: as relay_request's */
    uint32_t *tries;
    uint32_t retries;            /* how often the request was sent again because of `retry` */
    struct relay_client *client; /* may be NULL */
    const char *detail;          /* of the fault: a text that stays while the relay does, or NULL */
    enum relay_fault fault;      /* of the last origin that failed; of the exchange while failing */
    enum relay_error error;      /* while failing */
    uint32_t keep_s;             /* as http_keep_alive_s says of the response */
    uint32_t interim;            /* informational responses so far */
    enum http_framing framing;
    bool to_head;
    bool idempotent;
    bool body_given;   /* some body, that is */
    bool request_done; /* all of the request has been given */
    bool reused;       /* the connection comes from the pool */
    bool replaced;     /* a pooled connection has proved closed: from now on only fresh ones */
    bool whole;        /* the buffer holds all of the request that was given so far; never once answered */
    bool keeps;        /* the buffer keeps what was sent, since the request may be sent again */
    bool answered;     /* some of the response has come */
    bool last;         /* something before the end of the response says that the connection is not to be used again */
    bool signs_in;     /* from now on the connection is this client's */
    bool trailers;     /* the response's are wanted */
    bool put_off;      /* begins at the end of the turn */
    bool upgrades;     /* a 101 is an answer */
    bool bare;         /* a tunnel from the start: there is no request and no answer */
    bool speaks_last;  /* a tunnel's origin has said something behind the client's end */
    bool events;       /* the response is a stream of events, which may be silent for long */
    bool doubted;      /* but not this one: nobody may be there to hear them */
    bool paused;
    bool patient; /* as relay_request's */
    bool reading; /* response_read is on the stack */
    union {
        struct http_parser parser;    /* HTTP/1 */
        struct exchange_stream http2; /* HTTP/2 */
    };
    struct http_message message;
};

static inline struct relay_link *exchange_link(const struct relay_exchange *exchange) {
    return &exchange->connection->link;
}

static inline bool exchange_is_over(const struct relay_exchange *exchange) {
    return exchange->state == EXCHANGE_FAILING || exchange->state == EXCHANGE_ABORTED || exchange->state == EXCHANGE_ENDED;
}

/* Ends the exchange: it will never be complete. Tells its owner. Where it may be sent again, it goes on instead. */
void exchange_fail(struct relay_exchange *exchange, enum relay_error error, enum relay_fault fault);
/* Has the exchange go to an origin, instead of the one before. NULL: to none. */
void exchange_choose(struct relay_exchange *exchange, struct relay_origin *origin);
/*
 * Fails the exchange from the timer: for failures inside a call of the owner's, or of the parser's, which must return before
 * its handler runs.
 */
void exchange_fail_later(struct relay_exchange *exchange, enum relay_error error, enum relay_fault fault);
/* The response is complete: the exchange is not in flight any more. */
void exchange_note_complete(struct relay_exchange *exchange);
/*
 * The response's head is complete, its status is final, and nothing of it was delivered. True: the exchange goes on
 * elsewhere.
 */
bool exchange_note_status(struct relay_exchange *exchange);
/* The request that was kept while a response came is not to be sent again, or is not whole any more. */
void exchange_drop_kept(struct relay_exchange *exchange);
/* Gives back the memory of an exchange that has no connection any more. */
void exchange_release(struct relay_exchange *exchange);
/* Notes that a connection to the origin was made. */
void exchange_note_connected(struct relay_origin *origin, const struct relay_link *link);
/* Notes that none could even be begun to exchange->origin. `error` is a negative errno. */
void exchange_note_shortage(struct relay_exchange *exchange, int error);
/*
 * Notes that no connection could be made to exchange->origin: the origin is passed over for a while, unless the error comes
 * from a limit of this machine.
 */
void exchange_note_unconnected(struct relay_exchange *exchange, const struct relay_failure *failure);
/*
 * Sets the deadline for the origin's next step. The deadline stays where it is while the step is the same and there was no
 * `progress`.
 */
void exchange_watch(struct relay_exchange *exchange, bool progress);

#endif
