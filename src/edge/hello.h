/* The stage HELLO: a connection's first bytes, up to a ClientHello that is complete. No TLS object exists. */
#ifndef EDGE_HELLO_H
#define EDGE_HELLO_H

#include "edge/connection.h"

extern const struct stage hello_stage;

#endif
