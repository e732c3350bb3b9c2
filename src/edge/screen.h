/*
 * Tells the kernel which SYNs to drop for a shard that is not calm: those of suspects, and those of unknown sources beyond
 * the share that the shard has time for. The module joins guard/blocklist, guard/sampling and guard/familiar to the shard's
 * listeners.
 */
#ifndef EDGE_SCREEN_H
#define EDGE_SCREEN_H

#include "edge/shard.h"

void screen_open(struct shard *shard);
/* A suspect, or a source over its rate, has connected: it is not to be heard for a while. */
void screen_block(struct shard *shard, const struct sockaddr *peer);
/* One that was a suspect, or over its rate, has become known. */
void screen_unblock(struct shard *shard, const struct sockaddr *peer);
/* The shard has another site, by which other listeners may be behind balancers than before. */
void screen_site_changed(struct shard *shard);
/* A window of the shard's admission is over, which is in the state that the window has led to. */
void screen_end_window(struct shard *shard, struct sampling_window *window);
/* Counts what the kernel has dropped since the last time. Before the window's end. */
void screen_count_drops(struct shard *shard);

#endif
