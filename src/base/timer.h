/*
 * One hashed timer wheel for each shard (Varghese and Lauck, SOSP '87, scheme 6). Setting and clearing are O(1) and
 * allocate nothing; a timer fires at most one tick late, never early. One thread only.
 */
#ifndef BASE_TIMER_H
#define BASE_TIMER_H

#include "base/list.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    TIMER_TICK_MS = 8,
    TIMER_SLOTS = 1024, /* one turn of the wheel is about 8 s; a longer timer waits for a later turn */
};

struct timer {
    struct list link; /* in its slot, while it is set */
    uint64_t due_tick;
    void (*fire)(struct timer *timer); /* may set or clear any timer, this one too */
};

struct timer_wheel {
    struct list slots[TIMER_SLOTS];      /* of timers */
    uint64_t occupied[TIMER_SLOTS / 64]; /* a bit for each slot that is not empty */
    uint64_t tick;                       /* the last tick that was processed */
    uint32_t set;                        /* timers that are set */
};

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ms);
/* Initialises a timer: once, before any other call. */
void timer_init(struct timer *timer, void (*fire)(struct timer *timer));
/* Has `timer` fire `delay_ms` after `now_ms`. A timer that is set already is moved. */
void timer_set(struct timer_wheel *wheel, struct timer *timer, uint64_t now_ms, uint64_t delay_ms);
/* Does nothing when `timer` is not set. */
void timer_clear(struct timer_wheel *wheel, struct timer *timer);
static inline bool timer_is_set(const struct timer *timer) {
    return list_is_linked(&timer->link);
}
/* Fires the timers that are due, the earliest tick first. `now_ms` never goes back. */
void timer_wheel_advance(struct timer_wheel *wheel, uint64_t now_ms);
/* Returns the milliseconds until a timer may be due: 0 to `max_ms`; `max_ms` when none is set. May be early, never late. */
uint64_t timer_wheel_wait_ms(const struct timer_wheel *wheel, uint64_t now_ms, uint64_t max_ms);

#endif
