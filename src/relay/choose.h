/*
 * Which origin of a host the next exchange goes to: of those that are usable and have room, by the host's balance; those of
 * a level when none of a lower one is usable, backups at last; and when none is at all, those that are not unhealthy.
 */
#ifndef RELAY_CHOOSE_H
#define RELAY_CHOOSE_H

#include "relay/origin.h"

enum {
    CHOOSE_RAMP_MS = 10000, /* how long an origin that comes back takes to reach its whole part of the requests */
    CHOOSE_LOOK_MS = 100,   /* how often is looked whether one comes back */
};

/* Prepares a host without origins. */
void choose_begin(struct relay_host *host);
void choose_end(struct relay_host *host);

/* The host has one origin more, a new one or one that was removed. 0 or a negative errno. */
int choose_add(struct relay_origin *origin);
/* The origin has another rank. 0, or -ENOMEM with nothing changed. */
int choose_rank(struct relay_origin *origin, struct dns_rank rank);
/* The host has one origin less. Those exchanges that are in flight there go on. */
void choose_remove(struct relay_origin *origin);
/*
 * Sets how many exchanges the origin may have in this shard, before the first one: its part of what it may have of all
 * `shards`, at least one.
 */
void choose_share(struct relay_origin *origin, uint32_t shards);

/*
 * Returns the origin that has the next turn, of those that were not `tried`, or NULL. Then `*full` says whether there is one
 * that has no room now, for which to wait. `client`: as relay_request's.
 */
struct relay_origin *choose_next(struct relay_host *host, const struct balance_tried *tried, uint64_t client,
                                 uint64_t now_ms, bool *full);

/* Counts an exchange in flight at the origin, also as one that goes where health checks fail; or one less. */
void choose_enter(struct relay_origin *origin);
void choose_leave(struct relay_origin *origin);
static inline bool choose_is_full(const struct relay_origin *origin) {
    return origin->in_flight_max != 0 && origin->member.in_flight >= origin->in_flight_max;
}

/* An answer of the origin was good; or it failed, which may eject the origin. */
static inline void choose_note_success(struct relay_origin *origin) {
    ejection_succeed(&origin->ejection);
}
void choose_note_failure(struct relay_origin *origin, uint64_t now_ms);

/* Returns whether an exchange that was at the origin may go there once more, without being chosen for it again. */
static inline bool choose_may_stay(const struct relay_origin *origin) {
    return !origin->leaves && !origin_is_unhealthy(origin);
}

#endif
