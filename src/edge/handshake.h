/*
 * The stage HANDSHAKE: chooses the host by the hello's name, makes the TLS session and feeds it, and has the client's
 * certificate judged.
 */
#ifndef EDGE_HANDSHAKE_H
#define EDGE_HANDSHAKE_H

#include "edge/connection.h"
#include "guard/hello.h"

extern const struct stage handshake_stage;

/*
 * Begins the handshake: `received`, which `hello` was read from, is what the client has sent so far. Goes on to the stage
 * HANDSHAKE, and maybe beyond, or ends the connection. Bytes that the connection held are given back.
 */
void handshake_begin(struct connection *connection, const struct hello *hello, struct bytes received);
/* Answers a hello by an alert and refuses the connection; the source is blamed unless the server's memory is at fault. */
void handshake_refuse_hello(struct connection *connection, enum tls_alert alert, enum stats_rejection why);

#endif
