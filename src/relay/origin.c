#include "relay/origin.h"

#include "base/bits.h"
#include "base/check.h"

#include <errno.h>
#include <stdlib.h>

enum { CAPACITY_BEGIN = 4 };

static uint32_t *up_count(const struct relay_origin *origin) {
    return &origin->host->up[origin->configured - origin->host->configured->origins];
}

static void tell_of(const struct relay_host *host, size_t item) {
    if (host->down == NULL) {
        return;
    }
    _Atomic uint64_t *word = &host->down[item / 64];
    uint64_t before = atomic_load_explicit(word, memory_order_relaxed);
    atomic_store_explicit(word, host->up[item] == 0 ? before | bits_mask(item) : before & ~bits_mask(item),
                          memory_order_relaxed);
}

/* One address of the origin's item is up that was not, or the other way round. */
static void count_up(const struct relay_origin *origin, int change) {
    uint32_t *up = up_count(origin);

    *up += (uint32_t)change;
    tell_of(origin->host, (size_t)(up - origin->host->up));
}

int origin_join(struct relay_origin *origin) {
    struct relay_host *host = origin->host;

    if (host->count == host->capacity) {
        uint32_t capacity = host->capacity == 0 ? CAPACITY_BEGIN : 2 * host->capacity;
        struct relay_origin **list = realloc(host->origins, capacity * sizeof(struct relay_origin *));

        if (list == NULL) {
            return -ENOMEM;
        }
        host->origins = list;
        host->capacity = capacity;
    }
    origin->place = host->count;
    host->origins[host->count++] = origin;
    host->ejected += origin->ejected;
    host->healthy_as_of = 0;
    count_up(origin, origin->down_until_ms == 0);
    return 0;
}

void origin_part(struct relay_origin *origin) {
    struct relay_host *host = origin->host;
    struct relay_origin *last = host->origins[--host->count];

    CHECK(host->origins[origin->place] == origin || last == origin);
    host->origins[origin->place] = last;
    last->place = origin->place;
    host->ejected -= origin->ejected;
    host->healthy_as_of = 0;
    count_up(origin, origin->down_until_ms == 0 ? -1 : 0);
}

void origin_tell(struct relay_host *host, _Atomic uint64_t *down) {
    host->down = down;
    for (size_t i = 0; i < BITS_WORDS && down != NULL; i++) {
        atomic_store_explicit(&down[i], 0, memory_order_relaxed);
    }
    for (size_t i = 0; i < host->configured->origin_count; i++) {
        tell_of(host, i);
    }
}

static bool is_down(const struct relay_origin *origin, uint64_t now_ms) {
    return now_ms < origin->down_until_ms;
}

/* Looks at all origins only when the board has changed. */
static bool has_healthy(struct relay_host *host, uint64_t changes) {
    if (changes != 0 && host->healthy_as_of == changes) {
        return host->has_healthy;
    }
    host->has_healthy = false;
    for (uint32_t i = 0; i < host->count && !host->has_healthy; i++) {
        host->has_healthy = !origin_fails_checks(host->origins[i]);
    }
    host->healthy_as_of = changes;
    return host->has_healthy;
}

bool origin_is_unhealthy(const struct relay_origin *origin) {
    return origin_fails_checks(origin) && has_healthy(origin->host, health_entry_changes(origin->health));
}

bool origin_mark_down(struct relay_origin *origin, uint64_t now_ms, uint32_t down_ms) {
    bool was_up = !is_down(origin, now_ms);

    if (origin->down_until_ms == 0 && !origin->leaves) {
        count_up(origin, -1);
    }
    origin->down_until_ms = now_ms + down_ms;
    return was_up;
}

bool origin_mark_up(struct relay_origin *origin) {
    if (origin->down_until_ms == 0) {
        return false;
    }
    origin->down_until_ms = 0;
    origin->host->look_ms = 0;
    if (!origin->leaves) {
        count_up(origin, 1);
    }
    return true;
}

bool origin_is_news(struct relay_origin *origin, enum origin_news kind, uint64_t now_ms) {
    bool is_news = now_ms >= origin->quiet_until_ms[kind];

    if (is_news) {
        origin->quiet_until_ms[kind] = now_ms + ORIGIN_NEWS_MS;
    }
    return is_news;
}
