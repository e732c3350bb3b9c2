#include "edge/pace.h"

void pace_init(struct pace *pace, void (*expired)(struct timer *timer)) {
    *pace = (struct pace){0};
    timer_init(&pace->timer, expired);
}

void pace_set_deadline(struct pace *pace, struct timer_wheel *wheel, uint64_t now_ms, uint32_t delay_ms) {
    pace->deadline_ms = now_ms + delay_ms;
    pace->paused = false;
    timer_set(wheel, &pace->timer, now_ms, delay_ms);
}

bool pace_resume(struct pace *pace, struct timer_wheel *wheel, uint64_t now_ms) {
    if (!pace->paused || now_ms >= pace->deadline_ms) {
        return false;
    }
    pace->paused = false;
    timer_set(wheel, &pace->timer, now_ms, pace->deadline_ms - now_ms);
    return true;
}

void pace_stop(struct pace *pace, struct timer_wheel *wheel) {
    timer_clear(wheel, &pace->timer);
}

void pace_begin(struct pace *pace) {
    pace->small_pieces = 0;
    pace->waited_ms = 0;
    pace->waited_bytes = 0;
}

void pace_take_small_piece(struct pace *pace, struct timer_wheel *wheel, uint64_t now_ms, size_t size) {
    uint64_t pause_ms = PACE_PAUSE_MS;

    if (size >= PACE_SMALL_SIZE) {
        return;
    }
    if (pace->small_pieces < UINT8_MAX) {
        pace->small_pieces++;
    }
    if (pace->small_pieces <= PACE_SMALL_FREE) {
        return;
    }
    for (uint8_t i = PACE_SMALL_FREE + 1; i < pace->small_pieces && pause_ms < PACE_PAUSE_MAX_MS; i++) {
        pause_ms *= 2;
    }
    if (now_ms + pause_ms < pace->deadline_ms) {
        timer_set(wheel, &pace->timer, now_ms, pause_ms);
    } /* else the deadline comes first, and its timer is set */
    pace->paused = true;
}

bool pace_take_body(struct pace *pace, uint64_t now_ms, size_t size) {
    pace->waited_ms += now_ms - pace->armed_ms;
    pace->waited_bytes += (uint32_t)size;
    if (pace->waited_ms < PACE_BODY_WINDOW_MS) {
        return true;
    }
    bool slow = (uint64_t)pace->waited_bytes * 1000 < pace->waited_ms * PACE_BODY_RATE_MIN;
    pace->waited_ms = 0;
    pace->waited_bytes = 0;
    return !slow;
}
