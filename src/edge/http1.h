/*
 * HTTP/1.1 and HTTP/1.0 on a client's connection, from the end of the handshake on: the stages WAITING, HEAD, EXCHANGE and
 * TUNNEL, and the carrier of its exchanges. All that is HTTP/1's own is here: pipelined requests, whether the connection is
 * kept, 100 (Continue), chunks, `Connection`, and a client that has said its last word.
 */
#ifndef EDGE_HTTP1_H
#define EDGE_HTTP1_H

#include "edge/connection.h"
#include "edge/http1_exchange.h"

extern const struct stage http1_waiting;    /* for the first byte of a request */
extern const struct stage http1_head;       /* a part of a request's head is there */
extern const struct stage http1_answering;  /* a request is being answered */
extern const struct stage http1_tunnelling; /* it has made a tunnel of the connection */

/* The handshake is complete: waits for a request, and reads all that has come already. */
void http1_begin(struct connection *connection);

#endif
