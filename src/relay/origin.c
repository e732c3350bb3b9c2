#include "relay/origin.h"

void origin_tell_of(const struct relay_host *host, const struct config_origin *configured) {
    if (host->down == NULL) {
        return;
    }
    bool down = true;
    for (uint32_t i = 0; i < host->count; i++) {
        const struct relay_origin *origin = host->origins[i];

        down = down && (origin->configured != configured || origin->down_until_ms != 0);
    }
    uint64_t bit = UINT64_C(1) << (configured - host->configured->origins);
    uint64_t before = atomic_load_explicit(host->down, memory_order_relaxed);
    atomic_store_explicit(host->down, down ? before | bit : before & ~bit, memory_order_relaxed);
}

void origin_tell(struct relay_host *host, _Atomic uint64_t *down) {
    host->down = down;
    if (down != NULL) {
        atomic_store_explicit(down, 0, memory_order_relaxed);
    }
    for (size_t i = 0; i < host->configured->origin_count; i++) {
        origin_tell_of(host, &host->configured->origins[i]);
    }
}

static bool is_down(const struct relay_origin *origin, uint64_t now_ms) {
    return now_ms < origin->down_until_ms;
}

bool origin_is_unhealthy(const struct relay_origin *origin) {
    const struct relay_host *host = origin->host;

    if (!origin_fails_checks(origin)) {
        return false;
    }
    for (uint32_t i = 0; i < host->count; i++) {
        if (!origin_fails_checks(host->origins[i])) {
            return true;
        }
    }
    return false;
}

bool origin_mark_down(struct relay_origin *origin, uint64_t now_ms, uint32_t down_ms) {
    bool was_up = !is_down(origin, now_ms);

    origin->down_until_ms = now_ms + down_ms;
    origin_tell_of(origin->host, origin->configured);
    return was_up;
}

bool origin_mark_up(struct relay_origin *origin) {
    if (origin->down_until_ms == 0) {
        return false;
    }
    origin->down_until_ms = 0;
    origin->host->look_ms = 0;
    origin_tell_of(origin->host, origin->configured);
    return true;
}
