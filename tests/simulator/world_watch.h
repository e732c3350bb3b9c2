/* Watches what a shard does between two waits: its batches, and what its handshakes are charged. */
#ifndef TESTS_SIMULATOR_WORLD_WATCH_H
#define TESTS_SIMULATOR_WORLD_WATCH_H

#include "world.h"

/* The world whose shard is watched from now on, in world->pauses; NULL: none. */
void world_watch(struct world *world);
/*
 * Between two turns steps are paused only if the next turn has work. When none is, whatever was charged by an estimate has
 * got its cost.
 */
void world_expect_charges(const struct world *world);

#endif
