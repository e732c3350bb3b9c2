/*
 * The stage PROXY: the first bytes of a connection to a listener for balancers, up to the end of a header that tells the
 * client's address (guard/proxy_header.h). Only behind it the gate is asked; the balancer itself is no source.
 */
#ifndef EDGE_PROXY_H
#define EDGE_PROXY_H

#include "edge/connection.h"

extern const struct stage proxy_stage;

/* Returns whether the listener takes headers from that peer. False: the peer was counted as rejected. */
bool proxy_is_welcome(struct shard *shard, const struct config_listener *listener, const struct sockaddr *peer);

#endif
