/*
 * The steps of hostile connections, of which the rows of modes.c are made. Most have no use for a TLS session. Each is
 * called with a connection in CONNECTION_TALKING, but for flood_rest: in CONNECTION_READY.
 */
#ifndef BENCH_LOAD_FLOOD_H
#define BENCH_LOAD_FLOOD_H

#include "base/bytes.h"

struct load_connection;

/* When connected: says 16 to 512 random bytes, and waits for what comes of it. */
void flood_say_noise(struct load_connection *connection);
/* A plain HTTP request. */
void flood_say_http(struct load_connection *connection);
/* A whole ClientHello, made fresh. */
void flood_say_hello(struct load_connection *connection);
/* Nothing at all, for as long as the server bears it. */
void flood_say_nothing(struct load_connection *connection);
/* When even that took too long: counts a timeout. */
void flood_tire(struct load_connection *connection);
/* The next byte of a ClientHello; the others each when the interval is over. */
void flood_say_byte(struct load_connection *connection);
/*
 * A fragment of a ClientHello in a record, and a TCP segment, of its own; the others each when the one before has left.
 * Every other connection never says the last.
 */
void flood_say_fragment(struct load_connection *connection);
/* The ClientHello of an intruder; then what comes goes to that, which presents its certificate when it is its turn. */
void flood_intrude(struct load_connection *connection);
void flood_go_on_intruding(struct load_connection *connection, struct bytes data);
/* Answered: asks again when the interval is over. */
void flood_rest(struct load_connection *connection);
/* Goes. */
void flood_leave(struct load_connection *connection);

#endif
