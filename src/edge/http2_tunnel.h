/* The tunnels of a connection of HTTP/2, each in a stream of its own (RFC 8441): what happens to all of them. */
#ifndef EDGE_HTTP2_TUNNEL_H
#define EDGE_HTTP2_TUNNEL_H

#include "edge/connection.h"

/* The shard has another site: takes the client there if it has tunnels, which are judged by it. */
void http2_tunnel_switch_all(struct connection *connection);
/* Ends them, shortly before the end of the shard. */
void http2_tunnel_leave_all(struct connection *connection);

#endif
