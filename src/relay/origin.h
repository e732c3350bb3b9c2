/* A host's origin addresses: which of them may be used. Opens nothing; the caller gives the time. choose.h has the choice.
 */
#ifndef RELAY_ORIGIN_H
#define RELAY_ORIGIN_H

#include "base/list.h"
#include "config/config.h"
#include "dns/set.h"
#include "relay/balance.h"
#include "relay/ejection.h"
#include "relay/health_board.h"
#include "relay/retry_budget.h"
#include "relay/tls_origin.h"
#include "ring/ring.h"
#include "stats/counters.h"

/* The kinds of news that the log has of an origin. */
enum origin_news { ORIGIN_NEWS_CONNECTION, ORIGIN_NEWS_ANSWER, ORIGIN_NEWS_COUNT };
enum { ORIGIN_NEWS_MS = 60000 };

/*
 * One address of an origin of one host; relay/slot.h has its begin and its end. Hosts that name the same address have one
 * each, so that none can starve another's pool.
 */
struct relay_origin {
    struct relay_host *host;
    const struct config_origin *configured; /* the origin that the address belongs to, with its timeouts */
    struct config_address address;          /* its text is `text` */
    char text[ADDRESS_TEXT_SIZE];
    struct tls_origin tls;  /* zeroed where the origin speaks in the clear */
    uint32_t uses;          /* connections, channels and exchanges that point to it */
    uint32_t place;         /* in its host's list */
    struct dns_rank rank;   /* among those of its host; without a share its weight is that of `configured` */
    bool leaves;            /* the address is gone: takes no new exchanges, and ends with its last use */
    struct list in_leaving; /* while it leaves: among the relay's */
    uint64_t down_until_ms; /* 0: up. Passed over before this time; a connection that succeeds ends it */
    /* As origin_is_news says; and whether the log has a line of its own on the outage that is. */
    uint64_t quiet_until_ms[ORIGIN_NEWS_COUNT];
    bool outage_told;
    struct health_entry *health;  /* the prober's word on it; NULL: it is not probed */
    struct balance_member member; /* of its host's balance: choose.h */
    struct ejection ejection;
    uint32_t in_flight_max; /* exchanges that it may have at once in this shard; 0: no bound */
    bool ejected;           /* and its return has not been noticed yet */
    struct list idle;       /* connections in the pool, the most recently used first */
    uint32_t idle_count;    /* connections in it */
    struct list channels;   /* HTTP/2: its connections */
    struct list waiting;    /* HTTP/2: exchanges that wait for one of them, the first one longest */
    uint32_t channel_count;
    uint32_t waiting_count;
    uint32_t streams_max; /* HTTP/2: how many exchanges the connection took at once that said so last; 1 before */
};

struct relay_addresses;

struct relay_host {
    struct relay_origin **origins; /* those that do not leave, in no order */
    uint32_t count;                /* 0 to CONFIG_ORIGIN_ADDRESSES_MAX; 0 only while services are not offered */
    uint32_t capacity;             /* of the list */
    uint32_t *up;                  /* for each of configured->origins: how many of its addresses are up */
    uint32_t ejected;              /* origins of the list that are */
    bool has_healthy;              /* not all fail their health checks, as of `healthy_as_of` */
    uint64_t healthy_as_of;        /* health_entry_changes then; 0: not known */
    bool shares;                   /* connections go to a pool that all its clients use */
    bool has_preface;              /* each connection begins with the handler's preface, and is its client's alone */
    bool http2;                    /* its origins speak HTTP/2 */
    bool probed;                   /* its origins have `health` */
    uint32_t events_ms;            /* how long the origin may be silent in a stream of events */
    const struct config_host *configured;
    struct tls_origin_context *tls;  /* NULL: its origins speak in the clear */
    struct relay_addresses **wanted; /* for each of configured->origins: the newest addresses, NULL: those of the load */
    bool short_of_room;              /* some of them have no origin yet */
    struct stats_host *counters;     /* NULL: nothing is counted */
    _Atomic uint64_t *down;          /* words of bits.h, where all threads see which of configured->origins are down; NULL:
                                        nowhere */
    struct balance balance;          /* this and the next one: choose.h */
    uint64_t look_ms;                /* no sooner than this, those that are out are looked at */
    struct retry_budget budget;      /* dispatch.c, with the rest */
    struct list line;                /* exchanges that wait for an origin with room, the first one longest */
    uint32_t line_count;
    uint32_t line_max;
    struct ring_task serve; /* gives those of the line their origins */
};

/* Returns whether the origin's health checks have found it down. */
static inline bool origin_fails_checks(const struct relay_origin *origin) {
    return origin->health != NULL && health_entry_is_down(origin->health);
}

static inline void origin_count(const struct relay_origin *origin, enum stats_origin_event event) {
    if (origin->host->counters != NULL) {
        stats_add(&origin->host->counters->origin_connections[event], 1);
    }
}

/*
 * Returns whether health checks keep requests from the origin: its own fail, but not those of all origins of its host. When
 * all fail, requests go to all of them, since then the checks may be wrong, and nothing is lost.
 */
bool origin_is_unhealthy(const struct relay_origin *origin);
/*
 * Returns whether requests may go to the origin: it has not refused a connection lately, is not ejected, and not unhealthy.
 * Others are asked only when there is none, and those that are unhealthy not even then.
 */
static inline bool origin_is_usable(const struct relay_origin *origin, uint64_t now_ms) {
    return now_ms >= origin->down_until_ms && !ejection_holds(&origin->ejection, now_ms) && !origin_is_unhealthy(origin);
}

/* The origin is among those of its host's list from now on, or no longer. 0 or -ENOMEM. */
int origin_join(struct relay_origin *origin);
void origin_part(struct relay_origin *origin);

/* Notes that a connection could not be made. True when the origin counted as up before, so that a log tells each outage
 * once. */
bool origin_mark_down(struct relay_origin *origin, uint64_t now_ms, uint32_t down_ms);
/* Notes that a connection was made. True when the last attempt had failed. */
bool origin_mark_up(struct relay_origin *origin);
/*
 * Returns whether what the log is to tell of the origin now is news: the first of its kind in ORIGIN_NEWS_MS. Lines with
 * news are written beside the bounds of the others (LOG_NEWS_BURST).
 */
bool origin_is_news(struct relay_origin *origin, enum origin_news kind, uint64_t now_ms);
/* Has `down` tell of the host's origins, from now on: a bit is set while the last connection to each address failed. */
void origin_tell(struct relay_host *host, _Atomic uint64_t *down);

#endif
