/*
 * Takes a client from one site to the next after a reload, by the name that its hello asked for, which never changes. A
 * verdict that was reached under the old site is held against the new one.
 */
#ifndef EDGE_SITE_SWITCH_H
#define EDGE_SITE_SWITCH_H

#include "edge/client.h"

/*
 * Sets the name that the hello asked for, or "", once the host is chosen; it may be the name that the client has. False: out
 * of memory.
 */
bool site_switch_name(struct client *client, const char *name);

/*
 * Takes over the shard's site, if it is not the client's already: before the hello, or when a request begins. False: no host
 * of that site has the name of the handshake and is for the protocol of the connection, HTTP or not, and the client keeps
 * the site that it had.
 */
bool site_switch(struct client *client);

#endif
