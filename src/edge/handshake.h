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

#endif
