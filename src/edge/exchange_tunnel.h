/*
 * An exchange as a tunnel, from the offer to the end of both halves, and the clock that tunnels and conversations (calls of
 * gRPC that are relayed as such) have: edge/tunnel. Where nothing else is said, no function ends the exchange.
 */
#ifndef EDGE_EXCHANGE_TUNNEL_H
#define EDGE_EXCHANGE_TUNNEL_H

#include "edge/exchange_state.h"

/* Sets what the origin is offered of that which the client has asked for: trailers cannot be asked for beside it. */
void exchange_tunnel_offer(struct exchange *exchange, struct bytes head);
/* Returns the key that goes with the offer; empty: none is made here. */
struct bytes exchange_websocket_key(const struct exchange *exchange);
/* Returns whether a 101 takes up what was offered. */
bool exchange_tunnel_is_offered(const struct exchange *exchange, const struct http_message *response, const void *head);
/* The tunnel begins, and its clock: the client's bytes begin anew, as those of a body that is to come. */
void exchange_tunnel_open(struct exchange *exchange, bool is_websocket);
/* Counts that the tunnel ends, and stops its clock. */
void exchange_tunnel_close(struct exchange *exchange);
/* The client, or the origin, sends no more. Both may end the exchange by way of its carrier. */
void exchange_tunnel_end_client(struct exchange *exchange);
void exchange_tunnel_end_origin(struct exchange *exchange);

/* A conversation begins: from now on it has the clock of a tunnel. */
void exchange_watch_conversation(struct exchange *exchange);
/* Stops the clock of a conversation, if it runs. */
void exchange_stop_clock(struct exchange *exchange);

/*
 * The client of a tunnel or conversation has another site, by site_switch; or, if not `has_host`, none of that name is
 * served any more. May end the exchange by way of its carrier.
 */
void exchange_switch_tunnel(struct exchange *exchange, bool has_host);
/* Ends a tunnel or conversation by way of its carrier, with a last word to the client where its protocol has one. */
void exchange_end_tunnel(struct exchange *exchange, enum stats_tunnel_end why);

#endif
