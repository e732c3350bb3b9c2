/*
 * How the answer of an exchange leaves on a connection of HTTP/1: 100 (Continue) and other informational responses, chunks,
 * `Connection`, and the end of what cannot be completed.
 */
#ifndef EDGE_HTTP1_CARRIER_H
#define EDGE_HTTP1_CARRIER_H

#include "edge/exchange_state.h"

/* The owner of its exchanges is their connection. */
extern const struct exchange_carrier http1_carrier;

#endif
