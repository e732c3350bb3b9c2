/*
 * The place that a connection holds in its shard, from accept until it is gone: tells guard/places what each client has
 * shown and does, and ends those whose places, or whose share of the shard's memory, others need more.
 */
#ifndef EDGE_PLACE_H
#define EDGE_PLACE_H

#include "edge/connection.h"

/* Makes room for one more of that class, if need be and if it can. False: it is to be refused. */
bool place_make_room(struct shard *shard, enum admission_class class);
/* Accepted. */
void place_take(struct connection *connection);
/* It has said something. May be called again. */
void place_has_spoken(struct connection *connection);
/* Its state, its class, its verdict, or what it has not read yet may be another. Not while it is closing. */
void place_update(struct connection *connection);
/* A request begins. */
void place_ask(struct connection *connection);
/*
 * So many bytes are kept for it. All that clients without a valid certificate hold is bounded: the oldest of the others may
 * have to go for it.
 */
void place_holds(struct connection *connection, uint32_t size);
/* Likewise by its TLS session, beside what `held` has. Not while input is worked through. */
void place_session_holds(struct connection *connection, size_t size);
/* It ends; `soon`: at once, whatever its peer does. */
void place_end(struct connection *connection, bool soon);
/* It is gone. */
void place_leave(struct connection *connection);

/*
 * It is about to have something sent. False: too little is left of what that takes for somebody who is not known, and it has
 * been ended.
 */
bool place_may_send(struct connection *connection);
/* Once a turn: has those let go who hold too much of what all need to send. */
void place_turn(struct shard *shard);
/* Whether all places that strangers may have are taken. */
bool place_is_full(const struct shard *shard);
/* Whether a connection that leads to nothing is not worth its place. */
bool place_is_scarce(const struct shard *shard);

#endif
