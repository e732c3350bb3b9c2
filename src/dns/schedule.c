#include "dns/schedule.h"

static uint64_t with_jitter(uint64_t delay_ms, uint32_t chance) {
    return delay_ms + chance % (delay_ms / DNS_JITTER + 1);
}

bool dns_schedule_found(struct dns_schedule *schedule, uint64_t now_ms, uint32_t ttl_s, uint32_t chance) {
    uint32_t bounded_s = ttl_s < DNS_TTL_MIN_S ? DNS_TTL_MIN_S : ttl_s > DNS_TTL_MAX_S ? DNS_TTL_MAX_S : ttl_s;
    bool ends_outage = schedule->failures > 0;

    schedule->failures = 0;
    schedule->due_ms = now_ms + with_jitter((uint64_t)bounded_s * 1000, chance);
    return ends_outage;
}

bool dns_schedule_failed(struct dns_schedule *schedule, uint64_t now_ms, uint32_t chance) {
    uint64_t delay_ms = DNS_AGAIN_MIN_MS;

    for (uint32_t i = 0; i < schedule->failures && delay_ms < DNS_AGAIN_MAX_MS; i++) {
        delay_ms *= 2;
    }
    delay_ms = delay_ms < DNS_AGAIN_MAX_MS ? delay_ms : DNS_AGAIN_MAX_MS;
    schedule->due_ms = now_ms + with_jitter(delay_ms, chance);
    if (schedule->failures < UINT32_MAX) {
        schedule->failures++;
    }
    return schedule->failures == 1;
}
