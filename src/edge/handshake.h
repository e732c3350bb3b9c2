/*
 * From a connection's first bytes to the end of its handshake: the ClientHello is parsed, the host chosen, wolfSSL fed, the
 * client's certificate judged.
 */
#ifndef EDGE_HANDSHAKE_H
#define EDGE_HANDSHAKE_H

#include "edge/connection.h"
#include "guard/hello.h"

/* More bytes in CONNECTION_HELLO. When the hello is complete and good it goes to gate_hello. */
void handshake_hello(struct connection *connection, struct bytes data);
/*
 * It is this connection's turn: `received`, which `hello` was read from, is what it has sent so far. Goes on to
 * CONNECTION_HANDSHAKE, and maybe beyond, or ends the connection. What it held is given back.
 */
void handshake_begin(struct connection *connection, const struct hello *hello, struct bytes received);
/* More bytes in CONNECTION_HANDSHAKE. */
void handshake_continue(struct connection *connection, struct bytes input);
/* Why its TLS session has failed, in the handshake or later. */
enum stats_rejection handshake_fault(const struct connection *connection);

#endif
