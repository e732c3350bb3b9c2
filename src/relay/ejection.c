#include "relay/ejection.h"

bool ejection_fail(struct ejection *ejection) {
    ejection->failures += ejection->failures < EJECTION_FAILURES;
    return ejection->failures == EJECTION_FAILURES;
}

uint32_t ejection_begin(struct ejection *ejection, uint64_t now_ms) {
    bool is_forgotten = now_ms >= ejection->until_ms + EJECTION_MAX_MS;

    ejection->steps = is_forgotten ? 0 : ejection->steps;
    ejection->steps += ejection->steps < EJECTION_MAX_MS / EJECTION_STEP_MS;
    ejection->failures = 0;
    ejection->until_ms = now_ms + (uint64_t)ejection->steps * EJECTION_STEP_MS;
    return ejection->steps * EJECTION_STEP_MS;
}
