/*
 * struct connection, which is made of the parts that each module keeps of a connection, and struct stage, a state of a
 * connection as a table: which other states may follow, and which functions take each event. connection.h has the functions
 * for connections; the modules below that one need the structs alone.
 *
 *   PROXY ─┬─ HELLO ─┬─ QUEUED ─┬─ HANDSHAKE ─┬─ WAITING ─ HEAD ─ EXCHANGE ─┬─ TUNNEL
 *          │         └──────────┘             │     └───────────────────────┘
 *          └─ REDIRECT                        ├─ QUIET ─ FRAMES ─ STREAMS   (each of the three may follow each other)
 *                                             └─ TCP
 *   and from each of these to CLOSING.
 *
 * Each stage's table is in the module that does its work: proxy.c, redirect.c, hello.c, queue.c, handshake.c, http1.c,
 * http2.c, tcp.c, connection.c. A module knows the stages that follow its own, and never those before it.
 */
#ifndef EDGE_CONNECTION_STATE_H
#define EDGE_CONNECTION_STATE_H

#include "edge/client.h"
#include "edge/pace.h"

enum connection_state {
    CONNECTION_PROXY,     /* the header of a balancer is not complete; nothing is known of the client */
    CONNECTION_REDIRECT,  /* plain HTTP: requests are sent on to https */
    CONNECTION_HELLO,     /* the ClientHello is not complete; no TLS object exists */
    CONNECTION_QUEUED,    /* the hello waits until the shard has time for its handshake */
    CONNECTION_HANDSHAKE, /* wolfSSL is at work */
    CONNECTION_WAITING,   /* for the first byte of a request */
    CONNECTION_HEAD,      /* a part of a request's head is there */
    CONNECTION_EXCHANGE,  /* a request is being answered */
    CONNECTION_TUNNEL,    /* bytes pass both ways, in another protocol */
    CONNECTION_QUIET,     /* HTTP/2: no stream is open, and no part of a frame or head is there */
    CONNECTION_FRAMES,    /* HTTP/2: no stream is open, but a part of a frame or head is there */
    CONNECTION_STREAMS,   /* HTTP/2: requests are being answered */
    CONNECTION_TCP,       /* a tcp host: bytes pass both ways from the end of the handshake on */
    CONNECTION_CLOSING,   /* the stream is closing, and calls nothing but on_closed any more */
    CONNECTION_STATES,
};

struct connection;
struct http1_exchange;
struct http2_session;
struct tcp_tunnel;

/* How a connection ends. */
enum connection_end {
    CONNECTION_POLITELY,    /* close_notify, queued bytes, FIN */
    CONNECTION_TRUNCATED,   /* queued bytes, FIN, but no close_notify: the answer is not complete */
    CONNECTION_ABRUPTLY,    /* now */
    CONNECTION_AFTER_ALERT, /* the alert, which is queued; a moment to read it, while the shard is calm; then a reset */
    CONNECTION_BY_RESET,    /* a reset now, so that the kernel keeps nothing: for clients that broke the rules or ran out of
                               time */
};

/* A state of a connection. Members that may be NULL say what is done without them. */
struct stage {
    const char *name;
    enum connection_state state;
    uint32_t next; /* the states that may follow: the sum of STAGE_BIT of each */
    enum stats_stage counted_as;
    bool is_early;        /* the handshake is not complete */
    bool is_plain;        /* there is no TLS, so that no handshake begins */
    bool is_idle;         /* the client has been served and asks for nothing: the end of the shard ends the connection */
    bool may_switch_site; /* a reload takes effect at once, and not with the next request */
    bool pauses;          /* for a client that sends small pieces: see pace.h */
    bool extends;         /* progress begins the deadline anew */
    /* Returns how long the client may take, in milliseconds. NULL: the deadline of the stage before goes on. */
    uint32_t (*deadline_ms)(const struct connection *connection);
    /* Bytes have come, at least one. */
    void (*received)(struct connection *connection, struct bytes data);
    /* The turn has come of a handshake that waits: `received` is all that was held. NULL: none waits in this stage. */
    void (*taken_up)(struct connection *connection, struct bytes received);
    /* Takes plaintext and returns how many bytes were used; 0: none can be, for now. NULL: no plaintext is taken. */
    size_t (*plaintext)(struct connection *connection, struct bytes input);
    /* The client has said its last word: by FIN, or by close_notify. */
    void (*finished)(struct connection *connection, bool by_fin);
    /* The client is gone. */
    void (*failed)(struct connection *connection);
    /* The stream takes more to send again. NULL: more input is asked for, if any could be of use. */
    void (*drained)(struct connection *connection);
    /* The deadline has passed. */
    void (*timed_out)(struct connection *connection);
    /* The end of the shard is near: ends the connection with a last word to the client. NULL: there is none. */
    void (*take_leave)(struct connection *connection);
    /* Whether more input could be of use. NULL: it could. */
    bool (*wants_input)(const struct connection *connection);
    /*
     * Returns how many bytes of input may be read at once: of one body, tunnel or session, as far as its reader has room.
     * Up to RING_RECEIVE_SIZE: a buffer, as NULL.
     */
    size_t (*bulk)(const struct connection *connection);
    /* The shard has another site, which a connection whose stage allows that has by now. NULL: nothing is done. */
    void (*site_changed)(struct connection *connection);
    /* The shard drains. NULL: an idle connection is ended. */
    void (*drain)(struct connection *connection);
    /* The connection ends: lets go of all that the stage holds. False: the connection has ended by that already. */
    bool (*leave)(struct connection *connection, enum connection_end how);
};

#define STAGE_BIT(state) (UINT32_C(1) << (state))

/* Bytes that wait to be worked through: of a hello, a handshake's flight, a head, a request behind another. */
struct connection_held {
    uint8_t *data; /* from the shard's pieces; NULL most of the time */
    uint32_t size;
    uint32_t capacity;
};

/* Bytes of the shard's memory that are kept for the connection, as far as the shard counts them: place.c's. */
struct connection_kept {
    uint32_t counted; /* in all */
    uint32_t by_tls;  /* of these, by the TLS session, when it has had its input */
    uint32_t by_http; /* of these, by the streams of HTTP/2, and what waits for them */
};

/* The connection among the handshakes that wait: gate.c's and queue.c's. */
struct connection_queue {
    struct admission_entry entry;
    bool counts_for_source; /* as one of its source's that wait */
    bool early_data;        /* the hello says that early data follows, which is refused and stepped over */
};

/* From the end of the handshake on: http1.c's; the number of requests is redirect.c's too. */
struct connection_http1 {
    struct http1_exchange *exchange; /* from the first byte of a request to the last of its answer */
    uint32_t requests;               /* begun */
    bool peer_closed;                /* the client has sent close_notify or FIN; what it asked before is still answered */
};

/* Likewise, where the client speaks HTTP/2: http2.c's. */
struct connection_http2 {
    struct http2_session *session; /* NULL: HTTP/1 */
    struct list streams;           /* of struct http2_exchange, the newest first */
    struct list waiting;           /* those of them whose request's body waits until its origin takes more */
    struct list gone;              /* those that are over, but were on the stack then */
    struct list in_turn;           /* the shard's list of connections that may have frames to send */
    uint64_t quiet_ms;             /* when the handshake was complete, or the last stream ended */
    uint64_t shut_down_ms;         /* when shut_down was set */
    uint32_t requests;             /* begun */
    uint32_t open;                 /* streams in `streams` */
    uint16_t inside;               /* calls of the session on the stack: nothing of it is freed before they return */
    bool shut_down;                /* no more streams are taken */
    bool peer_closed;              /* the client has sent close_notify or FIN; what it has asked whole is still answered */
    bool over;                     /* the session has said its last word */
    bool head_is_late;             /* the head that comes has had its time: its stream is reset and counted */
};

struct connection {
    struct list in_shard; /* its list of all connections */
    struct client client;
    struct stream *stream;
    const struct stage *stage; /* connection_enter alone changes it */
    struct connection_held held;
    struct pace pace;   /* with the deadline of the stage */
    struct place place; /* among all connections: place.c's */
    struct connection_kept kept;
    struct connection_queue queue;
    struct connection_http1 http1;
    struct connection_http2 http2;
    struct tcp_tunnel *tcp;      /* NULL unless the client is at a tcp host, and let in: tcp.c's */
    struct handshake_step *step; /* of the handshake, which has paused for company: handshake.c's; NULL: none has */
    uint64_t accepted_ns;
    bool handshake_counted;
    bool lingers;    /* counted in the shard's lingering */
    bool processing; /* plaintext is being worked through further up the stack */
};

static inline uint64_t connection_now_ms(const struct connection *connection) {
    return ring_now_ms(&connection->client.shard->ring);
}

/* The limits of the site that the client has now. */
static inline const struct config_limits *connection_limits(const struct connection *connection) {
    return &connection->client.site->config->limits;
}

/* The last stage: no handler is called any more but that of the stream's end. */
extern const struct stage connection_closing;

static inline bool connection_is_closing(const struct connection *connection) {
    return connection->stage == &connection_closing;
}

#endif
