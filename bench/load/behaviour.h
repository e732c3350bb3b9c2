/*
 * The behaviour of the connections of a run. The life of a connection (load_connection.h) is the same for all; a behaviour
 * decides what follows when a step is done. modes.c has the table of behaviours.
 */
#ifndef BENCH_LOAD_BEHAVIOUR_H
#define BENCH_LOAD_BEHAVIOUR_H

#include "load/attack.h"
#include "load/forge.h"

struct load_connection;

/* The ticket in the ClientHello of a hostile connection. */
enum behaviour_tickets {
    TICKETS_NONE,
    TICKETS_JUNK,     /* random bytes */
    TICKETS_STOLEN,   /* a valid client's ticket without its secret: the binder is false */
    TICKETS_REPLAYED, /* a valid client's ticket and its secret, again and again */
};

struct behaviour {
    const char *name;
    const char *summary; /* one line of --help */
    uint32_t connections_default;
    uint32_t opening_max; /* connections that may be on their way to established at the same time; 0: all of them */
    bool holds;           /* opens each connection once, and the duration begins when all stand */
    bool closes;          /* the client ends each connection, and another takes its place */
    bool hostile;         /* all that the server does to a connection is an outcome (outcome.h), and no failure */
    enum behaviour_tickets tickets;
    enum forge_kind forgery;     /* the certificate that an intruder (intruder.h) presents */
    const struct attack *attack; /* over HTTP/2 (flood_http2.h); NULL: none */
    bool resumes; /* each handshake but a connection's first, which fetches a ticket, has to be a resumed one */
    /* The connection is made, and has no use for TLS. NULL: the handshake begins. */
    void (*connected)(struct load_connection *connection);
    /* Bytes have come to a connection in CONNECTION_TALKING: plaintext, where it has TLS. NULL: the bytes are its outcome.
     */
    void (*received)(struct load_connection *connection, struct bytes data);
    /* All bytes that the connection has written have left. May be NULL. */
    void (*said)(struct load_connection *connection);
    /* The time of load_connection_pause is over. NULL where no step calls that. */
    void (*due)(struct load_connection *connection);
    /* The handshake is complete. */
    void (*established)(struct load_connection *connection);
    /* A whole answer has come, with the expected status; to a hostile connection with any. NULL there: it is the outcome. */
    void (*answered)(struct load_connection *connection);
};

#endif
