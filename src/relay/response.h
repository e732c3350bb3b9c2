/*
 * A response of HTTP/1 as it comes: heads, which http/gather reads, informational ones among them, bodies, and the bytes of
 * a tunnel.
 */
#ifndef RELAY_RESPONSE_H
#define RELAY_RESPONSE_H

#include "relay/exchange.h"

enum response_outcome {
    RESPONSE_MORE,     /* all was used; another delivery is needed */
    RESPONSE_COMPLETE, /* the rest of the input does not belong to the response */
    RESPONSE_BAD,
    RESPONSE_STOPPED, /* a handler has ended the exchange */
};

/* Prepares the parser. Call before the first byte of each message. */
void response_begin(struct relay_exchange *exchange);
/* Takes a delivery, from the front of `*input`, and runs the handlers head and body. */
enum response_outcome response_read(struct relay_exchange *exchange, struct bytes *input);
/* Returns the trailers of a complete response, less those that its Connection names. Empty unless they are wanted. */
struct bytes response_trailers(struct relay_exchange *exchange);

#endif
