/* The begin of a tunnel: from the answer 101 on, or from the start. relay.h has its end: relay_exchange_part. */
#ifndef RELAY_TUNNEL_H
#define RELAY_TUNNEL_H

#include "relay/exchange.h"

/* The bytes of both sides begin anew, without framing: the exchange is a tunnel from now on. */
void tunnel_begin(struct relay_exchange *exchange);
/* Likewise for an exchange that is `bare`, whose connection is made. Gives its buffer back. */
void tunnel_begin_at_start(struct relay_exchange *exchange);

#endif
