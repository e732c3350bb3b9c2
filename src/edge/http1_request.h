/*
 * Requests of HTTP/1 as they come: heads in whatever pieces, bodies, pipelined requests, and the rest of a body that nobody
 * wants. Begins the connection's exchanges.
 */
#ifndef EDGE_HTTP1_REQUEST_H
#define EDGE_HTTP1_REQUEST_H

#include "edge/connection.h"

/* As `plaintext` of the stages WAITING, HEAD and EXCHANGE. Each may end the connection, or enter another stage. */
size_t http1_read_first(struct connection *connection, struct bytes input);
size_t http1_read_head(struct connection *connection, struct bytes input);
size_t http1_read_body(struct connection *connection, struct bytes input);

#endif
