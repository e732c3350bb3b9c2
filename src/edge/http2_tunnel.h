/* The tunnels of a connection of HTTP/2, each in a stream of its own (RFC 8441). */
#ifndef EDGE_HTTP2_TUNNEL_H
#define EDGE_HTTP2_TUNNEL_H

#include "edge/http2_stream.h"

/* For http2_carrier.c. The head of the answer is sent, and the tunnel is open. */
void http2_tunnel_begin(struct http2_exchange *http2);
/* As send_half_end of the carrier. */
void http2_tunnel_end_half(struct exchange *exchange);

/* The shard has another site: takes the client there if it has tunnels, which are judged by it. */
void http2_tunnel_switch_all(struct connection *connection);
/* Ends all tunnels, shortly before the end of the shard. */
void http2_tunnel_leave_all(struct connection *connection);

#endif
