/*
 * Ends connections whose places, or whose share of the shard's memory, others need more: for a newcomer, for bytes that are
 * kept, for chunks that all need to send. guard/places says which.
 */
#ifndef EDGE_EVICTION_H
#define EDGE_EVICTION_H

#include "edge/connection.h"

/* Returns whether there is memory for one more connection: an evicted one needs a moment to be gone. */
bool eviction_has_memory(const struct shard *shard);
/* Makes room for one more of that class, if need be and if that can be done. False: the newcomer is to be refused. */
bool eviction_make_room(struct shard *shard, enum admission_class class);
/* Likewise for one that has its memory already, and no place. */
bool eviction_make_place(struct shard *shard, enum admission_class class);
/*
 * Counts `size` bytes as kept for the connection, beside those of its TLS session. All that clients without a valid
 * certificate hold is bounded: the oldest of the others may have to go.
 */
void eviction_keep(struct connection *connection, uint32_t size);
/* Likewise for the bytes of its TLS session, beside what `held` has. Not while plaintext is worked through. */
void eviction_keep_tls(struct connection *connection, size_t size);
/* Likewise for the bytes of its HTTP/2 streams, and of what waits for them. */
void eviction_keep_http(struct connection *connection, size_t size);
/*
 * Returns whether the connection may take chunks to send; false: it has been evicted. One turn can take more chunks than
 * eviction_turn has freed, and the last eighth of the chunks is for known clients.
 */
bool eviction_allows_sending(struct connection *connection);
/*
 * Once a turn: when few chunks are left, ends those that have held some for longest: clients that do not take their answers,
 * then strangers' requests that may be for origins which do not take them.
 */
void eviction_turn(struct shard *shard);

#endif
