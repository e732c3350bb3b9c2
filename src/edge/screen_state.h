/* A shard's state of the filter by which the kernel drops SYNs: screen.c's. */
#ifndef EDGE_SCREEN_STATE_H
#define EDGE_SCREEN_STATE_H

#include "guard/blocklist.h"
#include "guard/sampling.h"

enum screen_family { SCREEN_IPV4, SCREEN_IPV6, SCREEN_FAMILIES };

struct screen {
    struct blocklist suspects[SCREEN_FAMILIES];
    struct sampling sampling;
    uint64_t told_ns;      /* when the kernel was last told */
    uint32_t told_share;   /* the share that the kernel has */
    uint32_t told_version; /* and of familiar sources: see familiar.h */
    uint32_t dropped;      /* SYNs that the kernel has dropped, as far as they have been counted */
    uint64_t draws;        /* draws of the sources that are heard, so far */
    uint64_t drawn_ns;     /* when the last draw was */
    bool on;               /* the kernel drops some */
};

#endif
