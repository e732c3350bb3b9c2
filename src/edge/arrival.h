/* A connection's first moment, and whose place it takes when there is none: that of the one which has been silent longest.
 */
#ifndef EDGE_ARRIVAL_H
#define EDGE_ARRIVAL_H

#include "edge/connection.h"

/* listener_accept_fn; the listener's owner is the shard. */
void arrival_accept(struct listener *listener, struct stream *stream, const struct sockaddr *peer);

/* It has said something, or is ending: its place is no longer the first to be taken. May be called again. */
void arrival_has_spoken(struct connection *connection);

#endif
