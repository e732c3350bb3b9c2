/*
 * A client's connection, from its first bytes to its last: the mechanism that all stages share. The stages are tables
 * (connection_state.h), of which this module knows CLOSING alone.
 */
#ifndef EDGE_CONNECTION_H
#define EDGE_CONNECTION_H

#include "edge/connection_state.h"

/* How far a refusal speaks against the client's source: see reputation.h. */
enum connection_blame {
    CONNECTION_BLAME_NONE,
    CONNECTION_BLAME_FAILURE,    /* the client did what no client of ours does */
    CONNECTION_BLAME_IMPATIENCE, /* the client left; the server is to blame where the client has waited long for it */
};

/* Begins the life of a connection whose stream, client, shard and site are set: in `stage`, and asks for input. */
void connection_start(struct connection *connection, const struct stage *stage);
/* Goes on to `stage`, which must be one that may follow, and sets its deadline. Nothing else changes a stage. */
void connection_enter(struct connection *connection, const struct stage *stage);
/* Begins the stage's deadline anew, in a stage in which progress does that. */
void connection_progress(struct connection *connection);
/* Asks for more input, if any could be of use. */
void connection_arm(struct connection *connection);

/*
 * Ends the connection, with what its stage holds. The connection is gone when its stream has closed. Nothing happens when it
 * is ending already.
 */
void connection_end(struct connection *connection, enum connection_end how);
/*
 * Turns the client away: counts why, and the handshake's outcome if a handshake has begun and is not complete; blames the
 * source; ends the connection. Nothing of it happens when the connection is ending already.
 */
void connection_refuse(struct connection *connection, enum stats_stage stage, enum stats_rejection why,
                       enum connection_blame blame, enum connection_end how);
/* Counts the handshake's outcome, once. */
void connection_count_handshake(struct connection *connection, enum stats_result result);
/* Returns why the TLS session has failed, in the handshake or later. */
enum stats_rejection connection_tls_fault(const struct connection *connection);

/* For the stages whose handshake is not complete: refuse a client whose time is over, or that has gone. */
void connection_time_out_early(struct connection *connection);
void connection_lose_early(struct connection *connection);
void connection_finish_early(struct connection *connection, bool by_fin);

/*
 * The shard has another site: takes it over for each connection whose stage allows that, and ends those that have no host
 * there. The others follow with their next request.
 */
void connection_switch_all(struct shard *shard);
/* Ends the connections that ask for nothing; the others follow their answers. */
void connection_drain_all(struct shard *shard);
/* Ends the connections whose clients are to be told so, shortly before connection_stop_all. */
void connection_take_leave_all(struct shard *shard);
/* Ends all connections now. */
void connection_stop_all(struct shard *shard);

#endif
