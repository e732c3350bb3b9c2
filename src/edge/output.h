/*
 * Plaintext on its way to clients: what a connection sends within a turn is gathered in the shard's one buffer, and leaves
 * as few large records.
 */
#ifndef EDGE_OUTPUT_H
#define EDGE_OUTPUT_H

#include "edge/connection.h"

/* Encrypts and queues; gathered with what else the connection sends in this turn. False when it had to be ended. */
bool output_send(struct connection *connection, struct bytes plaintext);
/* Encrypts what was gathered, for whomever. Called at the end of each turn. */
void output_flush(struct shard *shard);
/* The connection ends. What it has gathered leaves first, if it `may` still; false when that has ended it. */
bool output_settle(struct connection *connection, bool may);

#endif
