/*
 * The origin's side of an exchange: the head that the origin gets, and the events of its answer, which pass to the carrier.
 * Begins and ends tunnels by edge/exchange_tunnel.
 */
#ifndef EDGE_EXCHANGE_ORIGIN_H
#define EDGE_EXCHANGE_ORIGIN_H

#include "edge/exchange_state.h"

/*
 * Relays the request whose head this is, and which was let in. Where that cannot be begun, answers. May end the exchange by
 * way of its carrier.
 */
void exchange_relay(struct exchange *exchange, struct bytes head);

#endif
