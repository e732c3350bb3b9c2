#include "relay/pulse.h"

void pulse_hear(struct pulse *pulse, uint64_t now_ms) {
    pulse->heard_ms = now_ms;
    pulse->pinged = false;
}

void pulse_note_response(struct pulse *pulse) {
    pulse->responded = true;
}

void pulse_wake(struct pulse *pulse, uint64_t now_ms) {
    pulse->heard_ms = now_ms;
}

enum pulse_step pulse_look(struct pulse *pulse, uint64_t now_ms, uint32_t ping_ms, uint32_t ping_again_ms) {
    if (pulse->pinged) {
        return now_ms - pulse->pinged_ms >= ping_ms ? PULSE_LOST : PULSE_WAIT;
    }
    if (now_ms - pulse->heard_ms < ping_ms || (!pulse->responded && now_ms < pulse->ping_allowed_ms)) {
        return PULSE_WAIT;
    }
    pulse->pinged = true;
    pulse->responded = false;
    pulse->pinged_ms = now_ms;
    pulse->ping_allowed_ms = now_ms + ping_again_ms;
    return PULSE_PING;
}

uint64_t pulse_silence_ms(const struct pulse *pulse, uint64_t since_ms, uint64_t now_ms) {
    return now_ms - (since_ms > pulse->heard_ms ? since_ms : pulse->heard_ms);
}
