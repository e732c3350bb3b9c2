/*
 * Which site a connection stands under, and how it gets from one to the next after a reload: by the name that its hello
 * asked for, which never changes. What was decided under the old site is held against the new one.
 */
#ifndef EDGE_ADOPT_H
#define EDGE_ADOPT_H

#include "edge/connection.h"

/* Sets the name that the hello asked for, or "", once the host is chosen; it may be the one it has. False: out of memory. */
bool adopt_name(struct connection *connection, const char *name);

/*
 * Takes over the shard's site, if it is not the connection's already: between two requests, or before the hello. False when
 * no host there has the name of the handshake: the connection is of no use any more.
 */
bool adopt_site(struct connection *connection);

/* For each connection that can; the others will at their next request. */
void adopt_site_everywhere(struct shard *shard);

#endif
