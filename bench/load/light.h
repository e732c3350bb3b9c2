/*
 * The steps of clients that are served, as those of client.h are, by the TLS of intruders: for a server that is faster than
 * a client with a library. Each is called with a connection in CONNECTION_TALKING, or one that owes or has its answer.
 */
#ifndef BENCH_LOAD_LIGHT_H
#define BENCH_LOAD_LIGHT_H

#include "base/bytes.h"

struct load_connection;

/* When connected: the ClientHello, with the ticket of the visit before if there was one. */
void light_greet(struct load_connection *connection);
/* Bytes from the server: on its flight the client's own and the request, and then the answer. */
void light_listen(struct load_connection *connection, struct bytes data);

#endif
