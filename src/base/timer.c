#include "base/timer.h"

#include "base/check.h"

enum { WORD_BITS = 64, WORDS = TIMER_SLOTS / WORD_BITS };
_Static_assert((TIMER_SLOTS & (TIMER_SLOTS - 1)) == 0 && TIMER_SLOTS % WORD_BITS == 0, "slots are taken modulo");

static struct timer *timer_of(struct list *link) {
    return CONTAINER_OF(link, struct timer, link);
}

static unsigned slot_of(uint64_t tick) {
    return (unsigned)(tick % TIMER_SLOTS);
}

static void mark_slot(struct timer_wheel *wheel, unsigned slot) {
    uint64_t bit = UINT64_C(1) << slot % WORD_BITS;
    uint64_t *word = &wheel->occupied[slot / WORD_BITS];
    *word = list_is_empty(&wheel->slots[slot]) ? *word & ~bit : *word | bit;
}

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ms) {
    *wheel = (struct timer_wheel){.tick = now_ms / TIMER_TICK_MS};
    for (unsigned slot = 0; slot < TIMER_SLOTS; slot++) {
        list_init(&wheel->slots[slot]);
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
    /* The slot of the present tick has been emptied: a timer that is due now goes to the next one. */
    timer->due_tick = due_tick > wheel->tick ? due_tick : wheel->tick + 1;
    unsigned slot = slot_of(timer->due_tick);
    list_append(&wheel->slots[slot], &timer->link);
    mark_slot(wheel, slot);
    wheel->set++;
}

void timer_clear(struct timer_wheel *wheel, struct timer *timer) {
    if (!timer_is_set(timer)) {
        return;
    }
    list_remove(&timer->link);
    mark_slot(wheel, slot_of(timer->due_tick));
    CHECK(wheel->set > 0);
    wheel->set--;
}

/* Returns the ticks from the present one to the next whose slot is not empty: 1 to TIMER_SLOTS; 0 when all are empty. */
static uint64_t ticks_to_occupied(const struct timer_wheel *wheel) {
    unsigned first = slot_of(wheel->tick + 1);
    /* The word of the first slot is looked at twice: from that slot on first, and what lies before the slot at the end. */
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

/* Fires the timers of the present tick's slot that are due; timers of later turns stay in the slot. */
static void fire_slot(struct timer_wheel *wheel) {
    struct list *slot = &wheel->slots[slot_of(wheel->tick)];
    /* All that are due move to a list of their own first: a callback may set and clear any timer, those beside it too. */
    struct list due;
    list_init(&due);
    for (struct list *link = slot->next, *next; link != slot; link = next) {
        next = link->next;
        if (timer_of(link)->due_tick <= wheel->tick) {
            list_remove(link);
            list_append(&due, link);
        }
    }
    mark_slot(wheel, slot_of(wheel->tick));
    while (!list_is_empty(&due)) {
        struct timer *timer = timer_of(due.next);
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
