/*
 * The place that a connection holds in its shard, from accept until it is gone, and the bytes that the shard keeps for it:
 * tells guard/places what each client has shown and does. The module ends no connection: eviction.h does.
 */
#ifndef EDGE_PLACE_H
#define EDGE_PLACE_H

#include "edge/connection_state.h"

/* Returns the rank of a client of that class whose handshake is not complete. */
enum places_rank place_rank_of_class(enum admission_class class);
/* Takes a place for a connection that was accepted. */
void place_take(struct connection *connection);
/* Notes that the client has said something. May be called again. */
void place_has_spoken(struct connection *connection);
/*
 * Moves the place to the rank and stage that follow from the connection's stage, its client's class and verdict, and what
 * the client has not read yet. Not while the connection is closing.
 */
void place_update(struct connection *connection);
/* Moves a closing connection's place, which was given to a newcomer, among those that may be hurried. */
void place_give_up(struct connection *connection);
/* Notes that a request begins. */
void place_ask(struct connection *connection);
/*
 * Counts `size` bytes as kept for the connection, beside those of its TLS session and its streams. Returns whether they are
 * more than before, and the clients that are not valid hold too many by that: see eviction_keep.
 */
bool place_keep(struct connection *connection, uint32_t size);
/* Likewise for the bytes of its TLS session, beside what `held` has. Not while plaintext is worked through. */
bool place_keep_tls(struct connection *connection, size_t size);
/* Likewise for the bytes of its HTTP/2 streams, and of what waits for them. */
bool place_keep_http(struct connection *connection, size_t size);
/* Returns whether the connections in the stage of `connection` hold too many bytes, handshakes and requests apart. */
bool place_is_over_bytes(const struct connection *connection);
/* Notes that the connection ends; `soon`: at once, whatever its peer does. */
void place_end(struct connection *connection, bool soon);
/* Gives the place back: the connection is gone. */
void place_leave(struct connection *connection);

/* Returns whether all places that strangers may have are taken. */
bool place_is_full(const struct shard *shard);

#endif
