/*
 * A client's connection: from its first bytes to its last. One enum holds its state and connection_enter changes it.
 *
 *   HELLO ─ QUEUED ─ HANDSHAKE ─ WAITING ⇄ HEAD ⇄ EXCHANGE
 *      └───────┴─────────┴──────────┴───────┴──────┴─── CLOSING
 */
#ifndef EDGE_CONNECTION_H
#define EDGE_CONNECTION_H

#include "edge/connection_state.h"

/* How a connection ends. */
enum connection_end {
    CONNECTION_POLITELY,    /* close_notify, what is queued, FIN */
    CONNECTION_TRUNCATED,   /* what is queued, FIN, but no close_notify: the answer is not complete */
    CONNECTION_ABRUPTLY,    /* now */
    CONNECTION_AFTER_ALERT, /* what is queued, a moment to read it while there is time, and then nothing of it is left */
    CONNECTION_BY_RESET,    /* now, and nothing of it is left: for those who deserve no better */
};

/* How far a refusal speaks against the client's source: see reputation.h. */
enum connection_blame {
    CONNECTION_BLAME_NONE,
    CONNECTION_BLAME_FAILURE,    /* the client did what no client of ours does */
    CONNECTION_BLAME_IMPATIENCE, /* the client left; the server is to blame where the client has waited long for it */
};

/* A connection whose stream, shard and site are set begins to live. */
void connection_start(struct connection *connection);

/* Ends it, with its exchange. It is gone when its stream has closed. Nothing happens when it is ending already. */
void connection_end(struct connection *connection, enum connection_end how);

/* For the exchange: request and answer are complete and the exchange may go. Waits for the next request, or closes. */
void connection_exchange_done(struct connection *connection, bool keep_alive);
/* Goes on after an event from the origin's side: with a request that was pipelined, or with more input. */
void connection_continue(struct connection *connection);
/* Asks for more input, if any could be of use. */
void connection_arm(struct connection *connection);
/* Moves the deadline of the current state: something has progressed. */
void connection_progress(struct connection *connection);

/* For the modules of a connection. The only place where the state changes; sets the new state's deadline. */
void connection_enter(struct connection *connection, enum connection_state state);
/* Keeps a copy of bytes behind those that are held already. */
void connection_hold(struct connection *connection, struct bytes bytes);
/* What it holds becomes the caller's, until that gives it back. */
struct connection_held connection_take_held(struct connection *connection);
void connection_give_back(struct connection *connection, const struct connection_held *held);
/* Decrypts and works through what was fed to the TLS session, until wolfSSL wants more. */
void connection_read(struct connection *connection);
/*
 * Turns the client away: counts why, and the handshake's outcome if a handshake has begun and is not complete; blames the
 * source; ends the connection. Nothing of it happens when the connection is ending already.
 */
void connection_refuse(struct connection *connection, enum stats_stage stage, enum stats_rejection why,
                       enum connection_blame blame, enum connection_end how);
/* Where it is on the way to its first request, or that it has come so far. */
enum stats_stage connection_stage(const struct connection *connection);
/* Counts the handshake's outcome, once. */
void connection_count_handshake(struct connection *connection, enum stats_result result);

/* Ends the connections that wait for a request; the others will follow their answers. */
void connection_drain_all(struct shard *shard);
void connection_stop_all(struct shard *shard);

#endif
