/*
 * struct connection, made of what each module keeps of a connection. What is done with connections is in connection.h; the
 * modules below that one need the struct alone.
 */
#ifndef EDGE_CONNECTION_STATE_H
#define EDGE_CONNECTION_STATE_H

#include "edge/client.h"
#include "edge/pace.h"

enum connection_state {
    CONNECTION_HELLO,     /* the ClientHello is not complete; no TLS object exists */
    CONNECTION_QUEUED,    /* the hello waits to be taken up: see queue.h */
    CONNECTION_HANDSHAKE, /* wolfSSL is at work */
    CONNECTION_WAITING,   /* for the first byte of a request */
    CONNECTION_HEAD,      /* a part of a request's head is there */
    CONNECTION_EXCHANGE,  /* a request is being answered */
    CONNECTION_CLOSING,   /* the stream is closing, and calls nothing but on_closed any more */
    CONNECTION_STATES,
};

struct exchange;

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
};

/* The connection's place among the handshakes that wait: gate.c's. */
struct connection_queue {
    struct admission_entry entry;
    bool counts_for_source; /* as one of its source's that wait */
    bool early_data;        /* the hello says that early data follows, which is refused and stepped over */
};

/* From the end of the handshake on. */
struct connection_http1 {
    struct exchange *exchange; /* from the first byte of a request to the last of its answer */
    uint32_t requests;         /* begun */
    bool peer_closed;          /* the client has sent close_notify or FIN; what it asked before is still answered */
    bool processing;           /* input is being worked through further up the stack */
};

struct connection {
    struct connection *next; /* of the shard's connections */
    struct connection *previous;
    struct client client;
    struct stream *stream;
    struct connection_held held;
    struct pace pace;   /* with the deadline of the current state */
    struct place place; /* among all connections: place.c's */
    struct connection_kept kept;
    struct connection_queue queue;
    struct connection_http1 http1;
    uint64_t accepted_ns;
    uint8_t state;
    bool handshake_counted;
    bool lingers; /* counted in the shard's lingering */
};

#endif
