/* When a name is looked up next: by the TTL of what was found, and again and again while nothing is. Pure: the caller gives
 * time and chance. */
#ifndef DNS_SCHEDULE_H
#define DNS_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    /* Bounds on the TTL: below the first one, servers would be asked without end; beyond the second one, a change that came
     * sooner than was planned would be missed for too long. */
    DNS_TTL_MIN_S = 1,
    DNS_TTL_MAX_S = 3600,
    DNS_TTL_OF_FILE_S = 30, /* of a name in /etc/hosts */
    /* Between two look-ups that fail; doubled each time. */
    DNS_AGAIN_MIN_MS = 1000,
    DNS_AGAIN_MAX_MS = 30000,
    DNS_JITTER = 10, /* a part of the time is added by chance: one in so many at most, so that look-ups spread */
};

struct dns_schedule {
    uint64_t due_ms;   /* of the caller's clock */
    uint32_t failures; /* since something was found */
};

/* Notes that the name was found, with a TTL in seconds. Returns whether this ends an outage. */
bool dns_schedule_found(struct dns_schedule *schedule, uint64_t now_ms, uint32_t ttl_s, uint32_t chance);
/* Notes that the name was not found. Returns whether this begins an outage. */
bool dns_schedule_failed(struct dns_schedule *schedule, uint64_t now_ms, uint32_t chance);

#endif
