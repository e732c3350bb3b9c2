#include "relay/origin.h"

static void tell(const struct relay_origin *origin, bool down) {
    if (origin->down != NULL) {
        uint64_t before = atomic_load_explicit(origin->down, memory_order_relaxed);

        atomic_store_explicit(origin->down, down ? before | origin->down_bit : before & ~origin->down_bit,
                              memory_order_relaxed);
    }
}

static bool is_down(const struct relay_origin *origin, uint64_t now_ms) {
    return now_ms < origin->down_until_ms;
}

struct relay_origin *origin_choose(struct relay_host *host, uint64_t tried, uint64_t now_ms) {
    struct relay_origin *chosen = NULL;

    for (uint32_t i = 0; i < host->count; i++) {
        uint32_t index = (host->turn + i) % host->count;
        struct relay_origin *origin = &host->origins[index];

        if (tried >> index & 1) {
            continue;
        }
        if (!is_down(origin, now_ms)) {
            chosen = origin;
            break;
        }
        if (chosen == NULL) {
            chosen = origin;
        }
    }
    if (chosen != NULL) {
        host->turn = ((uint32_t)(chosen - host->origins) + 1) % host->count;
    }
    return chosen;
}

bool origin_mark_down(struct relay_origin *origin, uint64_t now_ms, uint32_t down_ms) {
    bool was_up = !is_down(origin, now_ms);

    origin->down_until_ms = now_ms + down_ms;
    tell(origin, true);
    return was_up;
}

bool origin_mark_up(struct relay_origin *origin) {
    bool was_down = origin->down_until_ms != 0;

    origin->down_until_ms = 0;
    tell(origin, false);
    return was_down;
}
