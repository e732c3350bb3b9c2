/* A tunnel that has a connection of HTTP/1 to itself (RFC 9110 section 7.8): the work of the stage TUNNEL. */
#ifndef EDGE_HTTP1_TUNNEL_H
#define EDGE_HTTP1_TUNNEL_H

#include "edge/connection.h"

/* Takes the bounds of a request off the connection: from now on the exchange has the clock. */
void http1_tunnel_begin(struct connection *connection);
/* As `plaintext` of the stage. */
size_t http1_tunnel_read(struct connection *connection, struct bytes input);
/* The origin may take more: goes on with the bytes that are held, and then with the end of the client's half. */
void http1_tunnel_go_on(struct connection *connection);
/* As `bulk`, `received`, `finished`, `site_changed` and `take_leave` of the stage. */
size_t http1_tunnel_bulk(const struct connection *connection);
void http1_tunnel_received(struct connection *connection, struct bytes data);
void http1_tunnel_finished(struct connection *connection, bool by_fin);
void http1_tunnel_site_changed(struct connection *connection);
void http1_tunnel_take_leave(struct connection *connection);

#endif
