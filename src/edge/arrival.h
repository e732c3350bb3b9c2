/*
 * A connection until its handshake is complete: how it gets its place, and whose it takes when there is none. First those
 * go that have said nothing, then those that take their time, the oldest of them.
 */
#ifndef EDGE_ARRIVAL_H
#define EDGE_ARRIVAL_H

#include "edge/connection.h"

/* listener_accept_fn; the listener's owner is the shard. */
void arrival_accept(struct listener *listener, struct stream *stream, const struct sockaddr *peer);

/* It has said something. May be called again. */
void arrival_has_spoken(struct connection *connection);
/* Its handshake is complete, or it is ending: its place is its own. May be called again. */
void arrival_is_over(struct connection *connection);
/* It holds so many bytes: what all of them hold is bounded, and the oldest may have to go for it. Not after it is over. */
void arrival_holds(struct connection *connection, uint32_t size);
/* Likewise its TLS session, beside that. */
void arrival_session_holds(struct connection *connection, size_t size);

#endif
