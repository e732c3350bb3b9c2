/*
 * Plaintext on its way to clients: the bytes that a connection sends within a turn are gathered in the shard's one buffer,
 * and leave as few large records.
 */
#ifndef EDGE_OUTPUT_H
#define EDGE_OUTPUT_H

#include "edge/connection.h"

/* Gathers plaintext with what else the connection sends in this turn. False: the connection has ended. */
bool output_send(struct connection *connection, struct bytes plaintext);
/* Encrypts and queues what was gathered, for the connection that owns it. Called at the end of each turn. */
void output_flush(struct shard *shard);
/*
 * Called before a connection ends: sends what the connection has gathered if `send`, else drops it. False: the sending has
 * failed, and has ended the connection already.
 */
bool output_finish(struct connection *connection, bool send);
/*
 * Likewise, as a connection that ends so demands: what it has gathered leaves before a polite end, behind which comes
 * close_notify, and before one that cuts an answer short. Behind an alert there is nothing to be said.
 */
bool output_leave(struct connection *connection, enum connection_end how);

#endif
