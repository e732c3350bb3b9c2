/*
 * The connections of one shard to the origins of hosts: a pool of keep-alive connections for each origin address, the choice
 * among the addresses, and the exchange in flight on a connection. Knows nothing of clients.
 */
#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H

#include "config/config.h"
#include "http/parser.h"
#include "relay/fault.h"
#include "ring/stream.h"

enum {
    /*
     * How long a connection stays in a pool. An origin that closes one crosses the next request on its way, which is lost
     * then unless it may be repeated. Node, Apache and uvicorn close after 5 s, so 4 where the origin does not say; and
     * gunicorn after 2, so what may not be repeated takes none that has been idle for more than 1.
     */
    RELAY_IDLE_TIMEOUT_MS = 4000,
    RELAY_FRESH_MS = 1000,
    /* `Keep-Alive: timeout` is taken at its word less this, up to a bound. */
    RELAY_IDLE_MARGIN_MS = 1000,
    RELAY_IDLE_SAID_MAX_MS = 50000,
    /*
     * Connections in all pools of a shard, or less: idle ones never take what exchanges need. An address has no bound of its
     * own, since each stream of HTTP/2 takes a connection, and clients open hundreds at once.
     */
    RELAY_IDLE_TOTAL_MAX = 1024,
    RELAY_OWNED_MAX = 4096,              /* idle connections that clients have to themselves, in a shard */
    RELAY_DOWN_MS = 10000,               /* how long an address that refused to connect is passed over */
    RELAY_LINE_MS = 1000,                /* how long an exchange waits for an origin that has room: `in_flight` */
    RELAY_PREFACE_MAX = 536,             /* bytes; what every host takes in one segment */
    RELAY_RESPONSE_HEAD_MAX = 64 * 1024, /* bytes */
    RELAY_REQUEST_HEAD_MAX = 128 * 1024,
    RELAY_RESPONSE_HEADERS_MAX = 1000, /* of what config->limits.response_headers may say */
    RELAY_INTERIM_MAX = 32,            /* informational responses before a final one */
    /* Of origins that speak HTTP/2. */
    RELAY_CHANNELS_MAX = 128, /* connections for each address and shard */
    RELAY_REFUSALS_MAX = 3,   /* how often a request is sent again that the origin says it has not begun */
    RELAY_WAITING_MAX = 4096, /* exchanges that wait for a connection, or a free stream, likewise */
    /*
     * How many bytes of a body may come while the client does not take it; then of a body of which the client has taken so
     * many; and how much all streams of a connection have beyond the first of these. The connection's own window never
     * shuts, so that no slow client holds back the others.
     */
    RELAY_STREAM_WINDOW = 32 * 1024,
    RELAY_STREAM_WINDOW_MAX = 256 * 1024,
    RELAY_GROWTH_MAX = 32 * 1024 * 1024,
    /*
     * How long a connection with exchanges may be silent until a PING is sent, and then until it counts as dead. Without an
     * answer to a request in between, no second PING is sent before RELAY_PING_AGAIN_MS: servers of gRPC end connections on
     * which more come.
     */
    RELAY_PING_MS = 10000,
    RELAY_PING_AGAIN_MS = 310000,
};

/* All relay state of one shard. */
struct relay;
struct relay_exchange;
struct relay_connection;
struct relay_addresses;
struct health_board;
struct stats_host;

enum relay_error {
    RELAY_UNREACHABLE,  /* no origin accepted a connection: 502 */
    RELAY_BROKEN,       /* the origin closed or reset before the response was complete: 502 when no head was delivered */
    RELAY_BAD_RESPONSE, /* the origin's bytes are not HTTP: 502 */
    RELAY_TIMEOUT,      /* 504 when no head was delivered */
    RELAY_BUSY,         /* the origins take no more requests at once: 503 */
};

/*
 * The state of relay/ for a client's connection, for its life: the one origin connection that no other client may use,
 * because this client has signed in on it (NTLM, Negotiate, which HTTP/2 does not have) or because the host shares none. All
 * 0 at first.
 */
struct relay_client {
    struct relay_connection *connection; /* NULL: none, or in use by its exchange */
};
/* Closes the connection: the client is gone, or goes to another host. */
void relay_client_leave(struct relay_client *client);

/* All run from ring_turn. Any may call any function of the exchange, its abort too; end and failed may start the next. */
struct relay_handler {
    /*
     * A connection to an origin is made, for a host with origin_proxy_protocol: writes what goes first on the connection,
     * and returns its size. Calls nothing of the relay. May be NULL where no host has it.
     */
    size_t (*preface)(void *owner, uint8_t out[static RELAY_PREFACE_MAX]);
    /*
     * An informational response other than 100, which is answered here, and 101. NULL: they are swallowed.
     * As head; its abort is allowed too.
     */
    void (*interim)(void *owner, const struct http_message *response, const void *head);
    /*
     * The final response's head. `response` is valid until the next event; `head` is too, but the return
     * from this call is one: it may lie in a receive buffer. A 101, which comes only if the request `upgrades`, makes the
     * exchange a tunnel: see relay_exchange_body_end.
     */
    void (*head)(void *owner, const struct http_message *response, const void *head);
    /* A piece of the body, decoded, valid during the call. */
    void (*body)(void *owner, struct bytes piece);
    /*
     * Returns how many bytes of the body the owner has room for: while it is not paused, a piece has no more than these, or
     * than RING_RECEIVE_SIZE. NULL: it always has the latter.
     */
    size_t (*room)(void *owner);
    /*
     * The response is complete. The exchange is gone. `trailers`: the section as http_parser_trailers gives it, valid during
     * the call; empty unless the request has asked for it.
     */
    void (*end)(void *owner, struct bytes trailers);
    /* Of a tunnel: the origin sends no more. Request and exchange go on. May be NULL where none is a tunnel. */
    void (*half_end)(void *owner);
    /* It will never be complete. The exchange is gone. The log has been told. */
    void (*failed)(void *owner, enum relay_error error, enum relay_fault fault);
    /*
     * The origin takes request body again (see relay_exchange_room). Not after relay_exchange_body_end, but a tunnel's. Of
     * a tunnel from the start the first call says that its connection is made.
     */
    void (*drained)(void *owner);
};

/* NULL when out of memory. `config` must outlive it. */
struct relay *relay_create(struct ring *ring, const struct config *config);
/* Idle connections in all pools: `most` instead of RELAY_IDLE_TOTAL_MAX, 1 to that. Before the first. */
void relay_limit_idle(struct relay *relay, uint32_t most);
/* Tells that there are so many shards, each with a part of what origins take at once. Before the first exchange. */
void relay_share(struct relay *relay, uint32_t shards);
/*
 * From now on `down`, BITS_WORDS words that the ring's thread alone writes and that must stay, has a bit (base/bits.h) for
 * each of the host's origins, as the configuration has them, that is down: the last connection to each of its addresses
 * failed. NULL: nobody watches any more. In the ring's thread.
 */
void relay_watch(struct relay *relay, size_t host, _Atomic uint64_t *down);
/*
 * From now on the relay heeds what the prober writes on `board`, which must outlive the relay, of the origins that are
 * probed: see origin_is_unhealthy. Before the first exchange. 0 or -ENOMEM.
 */
int relay_heed(struct relay *relay, struct health_board *board);
/*
 * From now on what happens to a host's origins is counted in `counters`, which the ring's thread alone writes and which must
 * outlive the relay. NULL, as at first: nothing is counted. In the ring's thread.
 */
void relay_count_in(struct relay *relay, size_t host, struct stats_host *counters);
/*
 * The origin, one of config->hosts[host].origins that is a name, stands for these addresses from now on, which are retained.
 * Idle connections to addresses that are gone close, exchanges with them go on, and no new ones begin there. In the ring's
 * thread.
 */
void relay_take_addresses(struct relay *relay, size_t host, size_t origin, struct relay_addresses *addresses);
/*
 * Closes pooled connections. From now on none is kept and no exchange started; those in flight go on. relay_is_idle() tells
 * when it may be freed: closing takes some turns of the ring.
 */
void relay_close(struct relay *relay);
bool relay_is_idle(const struct relay *relay);
void relay_free(struct relay *relay);
struct relay_request {
    const struct config_host *host;
    struct bytes head;         /* as http_write_request wrote it, up to RELAY_REQUEST_HEAD_MAX; copied */
    enum http_framing framing; /* of the body that will follow; not HTTP_UNTIL_CLOSE */
    bool to_head;              /* the method is HEAD */
    bool idempotent;
    bool signs_in; /* as http_request_signs_in says */
    bool last;     /* the head asks the origin to close: no further request goes on the connection */
    bool trailers; /* the response's are wanted */
    bool put_off;  /* the client may take the request back in this turn: no connection is taken before its end */
    bool patient;  /* the client has a deadline of its own: once it is sent, the response has all the time of the world */
    bool upgrades; /* the head offers another protocol */
    bool bare;     /* no request, but a tunnel from the start: without head, body and client, to an origin without HTTP/2 */
    struct relay_client *client; /* which outlives the exchange; NULL: there is none, and no connection is kept for one */
    uint64_t client_hash;        /* of what the client is known by, for hosts with CONFIG_HASH */
    uint32_t *tries; /* counts the origins that the request goes to, one that goes there twice twice; outlives the exchange;
                        or NULL */
};

/*
 * Starts an exchange: takes a pooled connection or opens one, to the origin that the host's balance chooses (choose.h). An
 * address that cannot be connected to is followed by the next, each tried once, and BALANCE_TRIES_MAX in all. A pooled
 * connection that proves closed before any byte of the response came is replaced once by a fresh one, when the request is
 * idempotent and no body has been given (RFC 9110 section 9.2.2), or, whatever the request, when the origin cannot have had
 * any of it: none had left, or its end came from before the first byte.
 *
 * Where the host's configuration says so, an idempotent request that fails is sent again: see dispatch.c.
 *
 * The connection that a client has signed in on is taken before all others, and goes back to the same client. A connection
 * is closed when the end of its answer is in doubt, unless a client has signed in on the connection.
 *
 * An origin that speaks HTTP/2 has one connection for many exchanges, and more as it takes no more at once. An exchange
 * waits for its turn as long as for a connection to be made. One that the origin says it has not begun is sent again,
 * whatever it is.
 *
 * No handler runs before this returns. NULL when out of memory or pools, when no connection could even be begun, or when
 * the head is too long: answer 502, or 503 for RELAY_FAULT_BUSY. The log has been told, and *fault says why.
 */
struct relay_exchange *relay_exchange_start(struct relay *relay, const struct relay_request *request,
                                            const struct relay_handler *handler, void *owner, enum relay_fault *fault);

/* Returns how many bytes of request body may be given now (0: wait for drained()). 0 until a connection is made. */
size_t relay_exchange_room(struct relay_exchange *exchange);
/* Gives a piece of the request body, copied, framed as the request said. At most 16 KiB over room is tolerated. */
void relay_exchange_body(struct relay_exchange *exchange, struct bytes piece);
/*
 * Ends the body. Must be called unless the framing is HTTP_NO_BODY. The caller makes sure that the length is right.
 *
 * A tunnel begins with the return from head() or within that call, with the body of request and response beginning anew,
 * both as bytes without framing, at the owner's pace: no deadline holds for the origin. The end of the body ends the half
 * towards the origin. The exchange ends by none of these: once both halves have ended the owner calls relay_exchange_part.
 * A `bare` request is a tunnel from the first drained() on, in which the origin may speak first.
 */
void relay_exchange_body_end(struct relay_exchange *exchange);
/* Ends a chunked body with trailers: lines that each end in CRLF, up to HTTP_TRAILERS_MAX, copied. */
void relay_exchange_body_end_with(struct relay_exchange *exchange, struct bytes trailers);

/* Stops and resumes the response's body: pieces of what was received already may still come after a pause. */
void relay_exchange_pause(struct relay_exchange *exchange);
void relay_exchange_resume(struct relay_exchange *exchange);

/*
 * Ends a tunnel both halves of which have ended: what was given leaves. No handler runs any more; the exchange is gone.
 * False: the tunnel has failed already, and failed() is about to be called.
 */
bool relay_exchange_part(struct relay_exchange *exchange);
/* Returns whether a tunnel's origin has ended its half, with TLS, but without TLS's own end: see link_is_cut. */
bool relay_exchange_is_cut(const struct relay_exchange *exchange);
/* Returns the address of the origin that was chosen last, as configured; NULL: none was. It lives as long as the relay. */
const char *relay_exchange_origin(const struct relay_exchange *exchange);
/*
 * The client sends no more, and is gone perhaps: a stream of events may not be silent for longer than another answer any
 * more. Only with the next piece the client would be missed.
 */
void relay_exchange_doubt(struct relay_exchange *exchange);
/* Aborts the exchange because of a fault of the origin's, which it writes to the log. */
void relay_exchange_refuse(struct relay_exchange *exchange, enum relay_fault fault);
/* Drops the origin connection, since the client is gone. No handler runs any more; the exchange is gone. */
void relay_exchange_abort(struct relay_exchange *exchange);

#endif
