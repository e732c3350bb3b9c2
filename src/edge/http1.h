/*
 * HTTP/1.1 and HTTP/1.0 on a client's connection, from the end of the handshake on: the stages WAITING, HEAD, EXCHANGE and
 * TUNNEL, a client that has said its last word, and one that is slow. http1_request reads requests, http1_carrier sends
 * their answers, and http1_exchange decides whether the connection is kept behind them.
 */
#ifndef EDGE_HTTP1_H
#define EDGE_HTTP1_H

#include "edge/connection.h"
#include "edge/http1_exchange.h"

/* The handshake is complete: waits for a request, and reads all that has come already. */
void http1_begin(struct connection *connection);

#endif
