/*
 * Tells the kernel which SYNs to drop for a shard that is not calm: those of suspects, and those of unknown sources beyond
 * the share that the shard has time for. The module joins guard/blocklist, guard/sampling and guard/familiar to the shard's
 * listeners.
 */
#ifndef EDGE_SCREEN_H
#define EDGE_SCREEN_H

#include "guard/blocklist.h"
#include "guard/sampling.h"

#include <sys/socket.h>

struct shard;

enum screen_family { SCREEN_IPV4, SCREEN_IPV6, SCREEN_FAMILIES };

struct screen {
    struct blocklist suspects[SCREEN_FAMILIES];
    struct sampling sampling;
    uint64_t told_ns;      /* when the kernel was last told */
    uint32_t told_share;   /* the share that it has */
    uint32_t told_version; /* and of familiar sources: see familiar.h */
    uint32_t dropped;      /* what it has dropped, as far as that has been counted */
    uint64_t draws;        /* of those that are heard, so far */
    uint64_t drawn_ns;     /* when the last was */
    bool on;               /* it drops some */
};

void screen_open(struct shard *shard);
/* A suspect, or a source over its rate, has connected: it is not to be heard for a while. */
void screen_block(struct shard *shard, const struct sockaddr *peer);
/* One that was a suspect, or over its rate, has become known. */
void screen_unblock(struct shard *shard, const struct sockaddr *peer);
/* A window of the shard's admission is over, which is in the state that the window has led to. */
void screen_end_window(struct shard *shard, struct sampling_window *window);
/* Counts what the kernel has dropped since the last time. Before the window's end. */
void screen_count_drops(struct shard *shard);

#endif
