/* The stage QUEUED: a hello that is complete and good waits until the shard has time for its handshake. */
#ifndef EDGE_QUEUE_H
#define EDGE_QUEUE_H

#include "edge/connection.h"
#include "guard/hello.h"

extern const struct stage queue_stage;

/*
 * The hello is complete and good; `received` holds it. Begins the handshake, or keeps the bytes and waits, or refuses the
 * connection.
 */
void queue_hello(struct connection *connection, const struct hello *hello, struct bytes received);

#endif
