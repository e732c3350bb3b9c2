/*
 * The stage REDIRECT: a connection to a listener that sends its clients on to https. Requests come in plain HTTP/1, one
 * behind the other, and each is answered here: 308 (RFC 9110 section 15.4.9) to the same host and path, for hosts that are
 * served. There is no TLS, no certificate and no origin.
 */
#ifndef EDGE_REDIRECT_H
#define EDGE_REDIRECT_H

#include "edge/connection.h"

enum { REDIRECT_REQUESTS_MAX = 100 /* on one connection; fewer when the shard is not calm */ };

extern const struct stage redirect_stage;

#endif
