/*
 * What the connections of a run do. The life of a connection (load_connection.h) is the same for all; a behaviour says what
 * follows when a step is done. modes.c has the table of them.
 */
#ifndef BENCH_LOAD_BEHAVIOUR_H
#define BENCH_LOAD_BEHAVIOUR_H

#include "load/forge.h"

struct load_connection;

/* What the ClientHello of a hostile connection resumes with. */
enum behaviour_tickets {
    TICKETS_NONE,
    TICKETS_JUNK,     /* random bytes */
    TICKETS_STOLEN,   /* a valid client's, by somebody who has not what belongs to it: the binder is false */
    TICKETS_REPLAYED, /* a valid client's with all that belongs to it, again and again */
};

struct behaviour {
    const char *name;
    const char *summary; /* one line of --help */
    uint32_t connections_default;
    uint32_t opening_max; /* connections that may be on their way to established at the same time; 0: all of them */
    bool holds;           /* opens each connection once, and the duration begins when all stand */
    bool closes;          /* a connection ends by our will, and another takes its place */
    bool hostile;         /* whatever the server does to a connection is an outcome (outcome.h) and no failure */
    enum behaviour_tickets tickets;
    enum forge_kind forgery; /* the certificate that an intruder (intruder.h) presents */
    bool resumes;            /* each handshake but a connection's first, which fetches a ticket, has to be a resumed one */
    /* Connected, by one that has no use for TLS. NULL: the handshake begins. */
    void (*connected)(struct load_connection *connection);
    /* Bytes have come to such a one. NULL: they are what came of it. */
    void (*received)(struct load_connection *connection, struct bytes data);
    /* All that it has said has left. May be NULL. */
    void (*said)(struct load_connection *connection);
    /* load_connection_pause is over. NULL where nobody calls that. */
    void (*due)(struct load_connection *connection);
    /* The handshake is complete. */
    void (*established)(struct load_connection *connection);
    /* A whole answer with the expected status has come; to a hostile one with any. NULL there: that is what came of it. */
    void (*answered)(struct load_connection *connection);
};

#endif
