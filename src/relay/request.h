/* A request of HTTP/1 on its way to an origin, and the copy of it that is kept while it may have to be sent again. */
#ifndef RELAY_REQUEST_H
#define RELAY_REQUEST_H

#include "relay/exchange.h"

/*
 * Returns whether the kernel has taken nothing of the request, so that the origin cannot have acted on it. (A send that
 * fails has taken nothing; one that is cut short yields what it took.)
 */
bool request_is_unsent(const struct relay_exchange *exchange);
/* Queues all that was given of the request on the connection, which is made. False when the ring is out of chunks. */
bool request_send(struct relay_exchange *exchange);
/* As the functions of the same names of the exchange's transport. */
size_t request_room(struct relay_exchange *exchange);
bool request_body(struct relay_exchange *exchange, struct bytes piece);
bool request_body_end(struct relay_exchange *exchange, struct bytes trailers);

#endif
