/*
 * The clients of tcp hosts, from the end of the handshake on: the stage TCP. A client that is let in has a tunnel: a
 * connection to an origin, which is begun at once, since in many protocols the server speaks first, and bytes that pass both
 * ways. One that is not gets the alert access_denied.
 */
#ifndef EDGE_TCP_H
#define EDGE_TCP_H

#include "edge/connection.h"
#include "edge/tunnel.h"

/* The tunnel of a connection. */
struct tcp_tunnel {
    struct connection *connection;
    struct site *site;              /* with a reference: stays for the tunnel when a reload gives the client another */
    const struct config_host *host; /* of the site */
    struct identity *identity;      /* with a reference: of which the origin was told */
    struct relay_exchange *relay;   /* NULL once both halves have ended, or the origin has failed */
    const char *origin;             /* its address in the configuration; NULL before a connection to it is made */
    uint64_t begun_ns;
    uint64_t origin_ns; /* from there until the origin's connection was made; 0: it is not */
    uint64_t bytes_in;  /* from the client, and to it */
    uint64_t bytes_out;
    struct tunnel clock;           /* of the idle limit and the verdict */
    enum relay_fault origin_fault; /* why there is no origin, or not until the end; RELAY_FAULT_NONE */
    bool opened;                   /* the origin's connection is made */
    bool paused;                   /* the origin has been told to wait */
    bool peer_closed;              /* the client has sent close_notify or FIN; what it sent before still goes on */
};

extern const struct stage tcp_stage;

/*
 * The handshake with a client of a tcp host is complete: lets it in, or turns it away by an alert. Reads all that has come
 * already.
 */
void tcp_begin(struct connection *connection);

#endif
