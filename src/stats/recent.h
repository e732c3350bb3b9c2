/*
 * One host's last minute, in twelve slots of five seconds, and its usual activity: how much its valid clients did in the
 * minutes before. Fixed memory of some 3.5 KiB. The sampler gives it the host's counters once a second.
 */
#ifndef STATS_RECENT_H
#define STATS_RECENT_H

#include "base/bits.h"
#include "base/reason.h"
#include "stats/findings.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    RECENT_SLOT_S = 5,
    RECENT_SLOTS = 12,
    RECENT_MOMENT_SLOTS = 2,      /* that have ended: ten seconds */
    RECENT_MINUTES = 11,          /* the newest one is not looked at: a fault may have begun in it */
    RECENT_MINUTES_LEAST = 4,     /* with fewer the usual activity is not known */
    RECENT_FORGET_MINUTES = 1440, /* after so many in doubt the usual activity is not known any more */
    RECENT_DOWN_S = 3,            /* an origin must be down for so long, so that one lost connection is no outage */
};

enum recent_count {
    RECENT_VERDICTS,                                 /* handshakes, by reason */
    RECENT_REFUSED = RECENT_VERDICTS + REASON_COUNT, /* requests by reason, answered 403 or, in mode report, let through */
    RECENT_2XX = RECENT_REFUSED + REASON_COUNT,      /* requests by their answers' codes, each in one of these */
    RECENT_3XX,
    RECENT_4XX,
    RECENT_GATEWAY, /* 502 and 504 */
    RECENT_ERRORS,  /* other 5xx */
    RECENT_OTHER,   /* none of these */
    RECENT_COUNTS
};

/* Handshakes and requests of valid clients in a minute: in all of it, and the least in two slots in a row. */
struct recent_minute {
    uint64_t good;
    uint64_t good_of_moment;
};

/* Zeroed before its first use. Only the sampling thread touches it. */
struct recent {
    uint64_t before[RECENT_COUNTS]; /* the counters at the last sample */
    uint32_t slots[RECENT_SLOTS][RECENT_COUNTS];
    uint64_t second;                              /* of the last sample */
    uint64_t first;                               /* of the first sample: minutes begin there */
    struct recent_minute minute;                  /* the current one */
    struct recent_minute minutes[RECENT_MINUTES]; /* those before, the newest first */
    uint32_t minutes_known;
    uint32_t minutes_in_doubt; /* in a row, up to now */
    struct bits down[RECENT_DOWN_S];
    struct findings_marks marks;
    bool begun;
    bool valid_seen; /* since the start */
    bool in_doubt;   /* its clients were refused at some time in the current minute */
};

/*
 * Takes a sample of `counters`, and of `down`, which has a bit for each origin that is down. `second` comes from a clock
 * that only goes forward. Counts from before the first sample are no part of any minute.
 */
void recent_sample(struct recent *recent, const uint64_t counters[static RECENT_COUNTS], const struct bits *down,
                   uint64_t second);

/* Adds up the last minute: the five seconds that have begun, and the 55 before them. */
void recent_last_minute(const struct recent *recent, uint64_t counts[static RECENT_COUNTS]);
/* Adds up the last two slots that have ended. */
void recent_last_moment(const struct recent *recent, uint64_t counts[static RECENT_COUNTS]);
/* Return a sum of such counts: all requests; and the handshakes and requests of valid clients. */
uint64_t recent_requests(const uint64_t counts[static RECENT_COUNTS]);
uint64_t recent_good(const uint64_t counts[static RECENT_COUNTS]);
/*
 * Returns the least that valid clients did in the last three to ten minutes that were not in doubt: in one of them, and in
 * any two slots in a row. 0: not known.
 */
struct recent_minute recent_usual(const struct recent *recent);
/* Returns a bit for each origin that has been down for three seconds. */
struct bits recent_down(const struct recent *recent);

#endif
