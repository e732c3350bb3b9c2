/* Conditions that must hold in a world of the simulation. Each of them stops the test when it does not. */
#ifndef TESTS_SIMULATOR_WORLD_CHECK_H
#define TESTS_SIMULATOR_WORLD_CHECK_H

#include "world.h"

/* Whenever the shard waits: its connections and streams are in order, and add up to what is counted. */
void world_expect_sums(struct world *world);
/*
 * At the end: each connection that was accepted completed its handshake, or was turned away once, unless the shard's end cut
 * it short...
 */
void world_expect_all_counted(const struct world *world);
/* ... each answer that a client has got is counted under its code and protocol... */
void world_expect_answers_counted(const struct world *world);
/* ... and each stream of HTTP/2 that a client began has one end. Behind the end of all clients. */
void world_expect_streams_counted(const struct world *world);

#endif
