/* A connection's first moment: decides whether a client may come in at all, and makes a connection of it. */
#ifndef EDGE_ARRIVAL_H
#define EDGE_ARRIVAL_H

#include "edge/connection.h"

/* listener_accept_fn; the listener's owner is the shard. */
void arrival_accept(struct listener *listener, struct stream *stream, const struct sockaddr *peer);

#endif
