/*
 * Bytes that are held for a connection until they can be worked through: of a hello, a handshake's flight, a request's head,
 * a request behind another. They lie in one of the shard's pieces.
 */
#ifndef EDGE_HELD_H
#define EDGE_HELD_H

#include "edge/connection.h"

/* Keeps a copy of `bytes` behind those that are held already. */
void held_add(struct connection *connection, struct bytes bytes);
/* Returns what the connection holds, which is the caller's until held_give_back. */
struct connection_held held_take(struct connection *connection);
void held_give_back(struct connection *connection, const struct connection_held *held);

#endif
