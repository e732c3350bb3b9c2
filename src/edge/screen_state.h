/* What a shard knows of the SYNs that the kernel drops for it: screen.c's. */
#ifndef EDGE_SCREEN_STATE_H
#define EDGE_SCREEN_STATE_H

#include "guard/blocklist.h"
#include "guard/sampling.h"

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

#endif
