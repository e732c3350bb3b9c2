/*
 * The steps of connections that attack over HTTP/2, with the frames of behaviour.attack (attack.h). The TLS handshake is a
 * whole one, with --cert or without, so that whoever may connect can do this. A server that closes, by GOAWAY or at once, is
 * the outcome; one that bears --repeats of the attack has to answer a PING, and the attacker leaves.
 */
#ifndef BENCH_LOAD_FLOOD_HTTP2_H
#define BENCH_LOAD_FLOOD_HTTP2_H

#include "base/bytes.h"

struct load_connection;

/* Established: begins. */
void flood_http2_begin(struct load_connection *connection);
/* All that was said has left: repeats it, as often as a TLS record holds. */
void flood_http2_go_on(struct load_connection *connection);
/* Reads frames of the server. */
void flood_http2_hear(struct load_connection *connection, struct bytes data);
/* The interval is over: opens streams in the place of those that the server has ended. */
void flood_http2_hold(struct load_connection *connection);

#endif
