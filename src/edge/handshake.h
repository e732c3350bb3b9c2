/*
 * From a connection's first bytes to the end of its handshake: the ClientHello is parsed, the host chosen, wolfSSL fed, the
 * client's certificate judged.
 */
#ifndef EDGE_HANDSHAKE_H
#define EDGE_HANDSHAKE_H

#include "edge/connection.h"

/* More bytes in CONNECTION_HELLO. Goes on to CONNECTION_HANDSHAKE, and maybe beyond, or ends the connection. */
void handshake_hello(struct connection *connection, struct bytes data);
/* More bytes in CONNECTION_HANDSHAKE. */
void handshake_continue(struct connection *connection, struct bytes input);

/*
 * The client's identity as of now: a verdict whose dates have run out since the handshake is reached anew. NULL when out
 * of memory.
 */
const struct identity *handshake_identity(struct connection *connection);

#endif
