#include "base/timer.h"

#include "base/check.h"

#include <stddef.h>

enum { WORD_BITS = 64, WORDS = TIMER_SLOTS / WORD_BITS };
_Static_assert((TIMER_SLOTS & (TIMER_SLOTS - 1)) == 0 && TIMER_SLOTS % WORD_BITS == 0, "slots are taken modulo");

static void ring_init(struct timer *head) {
    head->next = head->previous = head;
}

static void ring_append(struct timer *head, struct timer *timer) {
    timer->previous = head->previous;
    timer->next = head;
    head->previous->next = timer;
    head->previous = timer;
}

static void ring_remove(struct timer *timer) {
    timer->previous->next = timer->next;
    timer->next->previous = timer->previous;
    timer->next = timer->previous = NULL;
}

static unsigned slot_of(uint64_t tick) {
    return (unsigned)(tick % TIMER_SLOTS);
}

static void mark_slot(struct timer_wheel *wheel, unsigned slot) {
    uint64_t bit = UINT64_C(1) << slot % WORD_BITS;
    uint64_t *word = &wheel->occupied[slot / WORD_BITS];
    *word = wheel->slots[slot].next == &wheel->slots[slot] ? *word & ~bit : *word | bit;
}

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ms) {
    *wheel = (struct timer_wheel){.tick = now_ms / TIMER_TICK_MS};
    for (unsigned slot = 0; slot < TIMER_SLOTS; slot++) {
        ring_init(&wheel->slots[slot]);
    }
}

void timer_init(struct timer *timer, void (*fire)(struct timer *timer)) {
    *timer = (struct timer){.fire = fire};
}

void timer_set(struct timer_wheel *wheel, struct timer *timer, uint64_t now_ms, uint64_t delay_ms) {
    timer_clear(wheel, timer);
    uint64_t due_ms;
    if (__builtin_add_overflow(now_ms, delay_ms, &due_ms)) {
        due_ms = UINT64_MAX;
    }
    uint64_t due_tick = due_ms / TIMER_TICK_MS + (due_ms % TIMER_TICK_MS != 0);
    /* The slot of the present tick has been emptied: what is due now goes to the next one. */
    timer->due_tick = due_tick > wheel->tick ? due_tick : wheel->tick + 1;
    unsigned slot = slot_of(timer->due_tick);
    ring_append(&wheel->slots[slot], timer);
    mark_slot(wheel, slot);
    wheel->set++;
}

void timer_clear(struct timer_wheel *wheel, struct timer *timer) {
    if (!timer_is_set(timer)) {
        return;
    }
    ring_remove(timer);
    mark_slot(wheel, slot_of(timer->due_tick));
    CHECK(wheel->set > 0);
    wheel->set--;
}

/* Ticks from the present one to the next whose slot is not empty: 1 to TIMER_SLOTS; 0 when all are empty. */
static uint64_t ticks_to_occupied(const struct timer_wheel *wheel) {
    unsigned first = slot_of(wheel->tick + 1);
    /* The word of the first slot comes twice: from that slot on, and at the end what lies before it. */
    for (unsigned i = 0; i <= WORDS; i++) {
        unsigned index = (first / WORD_BITS + i) % WORDS;
        uint64_t word = wheel->occupied[index];
        if (i == 0) {
            word &= UINT64_MAX << first % WORD_BITS;
        }
        if (word != 0) {
            unsigned slot = index * WORD_BITS + (unsigned)__builtin_ctzll(word);
            return (slot - first) % TIMER_SLOTS + 1;
        }
    }
    return 0;
}

/* Fires what is due in the slot of the present tick; timers of later turns stay in it. */
static void fire_slot(struct timer_wheel *wheel) {
    struct timer *head = &wheel->slots[slot_of(wheel->tick)];
    /* First all that is due moves to a ring apart: a callback may set and clear any timer, also those beside it. */
    struct timer due;
    ring_init(&due);
    for (struct timer *timer = head->next, *next; timer != head; timer = next) {
        next = timer->next;
        if (timer->due_tick <= wheel->tick) {
            ring_remove(timer);
            ring_append(&due, timer);
        }
    }
    mark_slot(wheel, slot_of(wheel->tick));
    while (due.next != &due) {
        struct timer *timer = due.next;
        timer_clear(wheel, timer);
        timer->fire(timer);
    }
}

void timer_wheel_advance(struct timer_wheel *wheel, uint64_t now_ms) {
    uint64_t target = now_ms / TIMER_TICK_MS;
    while (wheel->tick < target) {
        uint64_t ahead = ticks_to_occupied(wheel);
        if (ahead == 0 || ahead > target - wheel->tick) {
            wheel->tick = target;
            return;
        }
        wheel->tick += ahead;
        fire_slot(wheel);
    }
}

uint64_t timer_wheel_wait_ms(const struct timer_wheel *wheel, uint64_t now_ms, uint64_t max_ms) {
    uint64_t ahead = ticks_to_occupied(wheel);
    if (ahead == 0) {
        return max_ms;
    }
    uint64_t due_ms = (wheel->tick + ahead) * TIMER_TICK_MS;
    uint64_t wait_ms = due_ms > now_ms ? due_ms - now_ms : 0;
    return wait_ms < max_ms ? wait_ms : max_ms;
}
