/* A host's origin addresses: which one is next, and which are passed over for a while. Opens nothing; the caller gives the
 * time. */
#ifndef RELAY_ORIGIN_H
#define RELAY_ORIGIN_H

#include "base/list.h"
#include "config/config.h"
#include "stats/counters.h"

/* One address of one host. Hosts that name the same address have an origin each, so that none can starve another's pool. */
struct relay_origin {
    struct relay_host *host;
    const struct config_origin *configured; /* its address and timeouts */
    uint64_t down_until_ms;                 /* 0: up. Passed over before this time; a connection that succeeds ends it */
    struct list idle;                       /* connections in the pool, the most recently used first */
    uint32_t idle_count;                    /* connections in it */
    struct list channels;                   /* HTTP/2: its connections */
    struct list waiting;                    /* HTTP/2: exchanges that wait for one of them, the first one longest */
    uint32_t channel_count;
    uint32_t waiting_count;
    uint32_t streams_max;   /* HTTP/2: how many exchanges the connection took at once that said so last; 1 before */
    _Atomic uint64_t *down; /* where the bit of a down origin is set, for all threads to see; NULL: nowhere */
    uint64_t down_bit;
};

struct relay_host {
    struct relay_origin *origins;
    uint32_t count;     /* 1 to CONFIG_ORIGIN_ADDRESSES_MAX */
    uint32_t turn;      /* index of the origin whose turn it is */
    bool shares;        /* connections go to a pool that all its clients use */
    bool has_preface;   /* each connection begins with the handler's preface, and is its client's alone */
    bool http2;         /* its origins speak HTTP/2 */
    uint32_t events_ms; /* how long the origin may be silent in a stream of events */
    const char *name;
    struct stats_host *counters; /* NULL: nothing is counted */
};

static inline void origin_count(const struct relay_origin *origin, enum stats_origin_event event) {
    if (origin->host->counters != NULL) {
        stats_add(&origin->host->counters->origin_connections[event], 1);
    }
}

/*
 * Returns the origin to try: of those that are not `tried` (a bit for each index) the next in turn that is up, else the next
 * that is down. The turn passes on. NULL when all have been tried.
 */
struct relay_origin *origin_choose(struct relay_host *host, uint64_t tried, uint64_t now_ms);

/* Notes that a connection could not be made. True when the origin counted as up before, so that a log tells each outage
 * once. */
bool origin_mark_down(struct relay_origin *origin, uint64_t now_ms, uint32_t down_ms);
/* Notes that a connection was made. True when the last attempt had failed. */
bool origin_mark_up(struct relay_origin *origin);

#endif
