#include "base/check.h"
#include "base/timer.h"
#include "random.h"

#include <criterion/criterion.h>

static struct timer_wheel wheel;

/* A naive model beside each timer: when it was to fire, and whether it is set. */
struct alarm {
    struct timer timer;
    uint64_t due_ms;
    bool set;
    unsigned fired;
};

enum { ALARMS = 300 };
static struct alarm alarms[ALARMS];
static uint64_t seed = 42;
static uint64_t now_ms; /* the time that the wheel advances to, which callbacks take for now */
static unsigned model_set;
static uint64_t last_fired_tick;

static void model_begin(uint64_t start_ms, void (*fire)(struct timer *timer)) {
    now_ms = start_ms;
    timer_wheel_init(&wheel, now_ms);
    for (size_t i = 0; i < ALARMS; i++) {
        alarms[i] = (struct alarm){0};
        timer_init(&alarms[i].timer, fire);
    }
}

static void model_set_alarm(struct alarm *alarm, uint64_t delay_ms) {
    model_set += !alarm->set;
    alarm->set = true;
    alarm->due_ms = delay_ms > UINT64_MAX - now_ms ? UINT64_MAX : now_ms + delay_ms;
    timer_set(&wheel, &alarm->timer, now_ms, delay_ms);
}

static void model_clear_alarm(struct alarm *alarm) {
    model_set -= alarm->set;
    alarm->set = false;
    timer_clear(&wheel, &alarm->timer);
}

static void model_fired(struct timer *timer) {
    struct alarm *alarm = CONTAINER_OF(timer, struct alarm, timer);
    cr_assert(alarm->set, "a timer that was cleared, or fired already");
    cr_assert_geq(now_ms, alarm->due_ms, "early");
    cr_assert(!timer_is_set(timer));
    alarm->set = false;
    alarm->fired++;
    model_set--;
}

static void model_fired_in_order(struct timer *timer) {
    model_fired(timer);
    cr_assert_geq(timer->due_tick, last_fired_tick);
    last_fired_tick = timer->due_tick;
}

static uint64_t any_delay(void) {
    switch (random_below(&seed, 8)) {
    case 0:
        return 0;
    case 1:
        return random_below(&seed, 20);
    case 2:
        return 8 * random_below(&seed, 3000);
    case 3:
        return (uint64_t)TIMER_TICK_MS * TIMER_SLOTS * random_below(&seed, 4); /* the same slot, later turns */
    case 4:
        return random_below(&seed, UINT64_C(30) * 24 * 3600 * 1000);
    case 5:
        return UINT64_MAX - random_below(&seed, 1000000000);
    default:
        return random_below(&seed, 60000);
    }
}

static uint64_t any_step(void) {
    switch (random_below(&seed, 100)) {
    case 0:
        return random_below(&seed, UINT64_C(3) * 24 * 3600 * 1000); /* slow: the wheel turns 10,000 times a day */
    case 1 ... 10:
        return random_below(&seed, 20000);
    case 11 ... 20:
        return 0;
    default:
        return random_below(&seed, 40);
    }
}

/* Nothing that is due by more than one tick may still be set; and the wheel and the model count alike. */
static void model_check(void) {
    size_t wrong = 0, late = 0; /* one assertion for all: they are slow */
    for (size_t i = 0; i < ALARMS; i++) {
        wrong += alarms[i].set != timer_is_set(&alarms[i].timer);
        late += alarms[i].set && now_ms - TIMER_TICK_MS >= alarms[i].due_ms;
    }
    cr_assert_eq(wrong, 0);
    cr_assert_eq(late, 0);
    cr_assert_eq(wheel.set, model_set);
}

static void change_some(unsigned changes) {
    for (unsigned i = 0; i < changes; i++) {
        struct alarm *alarm = &alarms[random_below(&seed, ALARMS)];
        if (random_below(&seed, 3) == 0) {
            model_clear_alarm(alarm);
        } else {
            model_set_alarm(alarm, any_delay());
        }
    }
}

Test(timer, fires_as_the_model_says) {
    model_begin(123456789, model_fired_in_order);
    for (int step = 0; step < 20000; step++) {
        change_some((unsigned)random_below(&seed, 5));
        last_fired_tick = 0;
        now_ms += any_step();
        timer_wheel_advance(&wheel, now_ms);
        model_check();
    }
    unsigned fired = 0;
    for (size_t i = 0; i < ALARMS; i++) {
        fired += alarms[i].fired;
    }
    cr_assert_gt(fired, 10000u);
}

/* Sets and clears others, often of its own slot, and at times itself. */
static void fire_and_change(struct timer *timer) {
    model_fired(timer);
    struct alarm *alarm = CONTAINER_OF(timer, struct alarm, timer);
    size_t index = (size_t)(alarm - alarms);
    change_some((unsigned)random_below(&seed, 3));
    struct alarm *neighbour = &alarms[(index + 1) % ALARMS];
    switch (random_below(&seed, 4)) {
    case 0:
        model_clear_alarm(neighbour);
        break;
    case 1:
        model_set_alarm(neighbour, 0);
        break;
    case 2:
        model_set_alarm(alarm, (uint64_t)TIMER_TICK_MS * TIMER_SLOTS);
        break;
    default:
        model_set_alarm(alarm, any_delay());
        break;
    }
}

Test(timer, callbacks_may_set_and_clear_any_timer) {
    model_begin(100, fire_and_change);
    for (int step = 0; step < 20000; step++) {
        /* Groups that share a slot, so that callbacks hit what is just about to fire. */
        if (step % 10 == 0) {
            uint64_t delay_ms = any_delay();
            for (size_t i = 0; i < 20; i++) {
                model_set_alarm(&alarms[(i + (size_t)step) % ALARMS], delay_ms);
            }
        }
        now_ms += any_step() % 20000;
        timer_wheel_advance(&wheel, now_ms);
        model_check();
    }
}

static struct timer chain[4];
static unsigned chain_fired;

static void clear_the_others(struct timer *timer) {
    chain_fired++;
    for (size_t i = 0; i < ARRAY_LENGTH(chain); i++) {
        timer_clear(&wheel, &chain[i]);
    }
}

Test(timer, the_first_of_a_slot_may_clear_all_the_rest) {
    timer_wheel_init(&wheel, 0);
    for (size_t i = 0; i < ARRAY_LENGTH(chain); i++) {
        timer_init(&chain[i], clear_the_others);
        timer_set(&wheel, &chain[i], 0, 80);
    }
    timer_wheel_advance(&wheel, 80);
    cr_assert_eq(chain_fired, 1);
    cr_assert_eq(wheel.set, 0);
    timer_wheel_advance(&wheel, 1000000);
    cr_assert_eq(chain_fired, 1);
}

static void set_again_at_once(struct timer *timer) {
    chain_fired++;
    timer_set(&wheel, timer, now_ms, 0);
}

Test(timer, one_that_sets_itself_again_without_delay_fires_once_an_advance) {
    now_ms = 800;
    timer_wheel_init(&wheel, now_ms);
    timer_init(&chain[0], set_again_at_once);
    timer_set(&wheel, &chain[0], now_ms, 0);
    for (unsigned i = 1; i <= 1000; i++) {
        now_ms += TIMER_TICK_MS;
        timer_wheel_advance(&wheel, now_ms);
        cr_assert_eq(chain_fired, i);
    }
    /* The same instant again: nothing more. */
    timer_wheel_advance(&wheel, now_ms);
    cr_assert_eq(chain_fired, 1000);
}

static void count(struct timer *timer) {
    chain_fired++;
}

Test(timer, a_delay_of_zero_fires_at_the_next_tick) {
    for (uint64_t start = 0; start < 2 * TIMER_TICK_MS; start++) {
        chain_fired = 0;
        timer_wheel_init(&wheel, start);
        timer_init(&chain[0], count);
        timer_set(&wheel, &chain[0], start, 0);
        timer_wheel_advance(&wheel, start);
        timer_wheel_advance(&wheel, start + TIMER_TICK_MS);
        cr_assert_eq(chain_fired, 1, "from %lu", (unsigned long)start);
    }
}

Test(timer, one_of_a_later_turn_waits_for_it) {
    enum { TURN_MS = TIMER_TICK_MS * TIMER_SLOTS };
    timer_wheel_init(&wheel, 0);
    timer_init(&chain[0], count);
    timer_init(&chain[1], count);
    timer_set(&wheel, &chain[0], 0, 16);
    timer_set(&wheel, &chain[1], 0, 16 + 3 * TURN_MS);
    timer_wheel_advance(&wheel, 16);
    cr_assert_eq(chain_fired, 1);
    timer_wheel_advance(&wheel, 15 + 3 * TURN_MS);
    cr_assert_eq(chain_fired, 1);
    timer_wheel_advance(&wheel, 16 + 3 * TURN_MS);
    cr_assert_eq(chain_fired, 2);
}

Test(timer, a_delay_without_end_does_not_wrap_into_the_past) {
    timer_wheel_init(&wheel, 1000);
    timer_init(&chain[0], count);
    timer_set(&wheel, &chain[0], 1000, UINT64_MAX);
    timer_wheel_advance(&wheel, UINT64_C(1000) * 365 * 24 * 3600);
    cr_assert_eq(chain_fired, 0);
    cr_assert(timer_is_set(&chain[0]));
    timer_clear(&wheel, &chain[0]);
    cr_assert_eq(wheel.set, 0);
}

Test(timer, clearing_what_is_not_set_does_nothing) {
    timer_wheel_init(&wheel, 0);
    timer_init(&chain[0], count);
    timer_clear(&wheel, &chain[0]);
    timer_set(&wheel, &chain[0], 0, 5);
    timer_clear(&wheel, &chain[0]);
    timer_clear(&wheel, &chain[0]);
    cr_assert_eq(wheel.set, 0);
}

Test(timer, setting_one_that_is_set_moves_it) {
    timer_wheel_init(&wheel, 0);
    timer_init(&chain[0], count);
    timer_set(&wheel, &chain[0], 0, 100);
    timer_set(&wheel, &chain[0], 0, 5000);
    cr_assert_eq(wheel.set, 1);
    timer_wheel_advance(&wheel, 4999);
    cr_assert_eq(chain_fired, 0);
    timer_wheel_advance(&wheel, 5000);
    cr_assert_eq(chain_fired, 1);
}

Test(timer, waiting_is_bounded_by_the_maximum_and_zero_when_overdue) {
    timer_wheel_init(&wheel, 0);
    timer_init(&chain[0], count);
    cr_assert_eq(timer_wheel_wait_ms(&wheel, 0, 777), 777, "nothing is set");
    timer_set(&wheel, &chain[0], 0, 400);
    cr_assert_eq(timer_wheel_wait_ms(&wheel, 0, 777), 400);
    cr_assert_eq(timer_wheel_wait_ms(&wheel, 0, 100), 100);
    cr_assert_eq(timer_wheel_wait_ms(&wheel, 399, 777), 1);
    cr_assert_eq(timer_wheel_wait_ms(&wheel, 400, 777), 0);
    cr_assert_eq(timer_wheel_wait_ms(&wheel, 100000, 777), 0);
    timer_clear(&wheel, &chain[0]);
    cr_assert_eq(timer_wheel_wait_ms(&wheel, 0, 777), 777);
}

/* A shard's loop: who sleeps as long as the wheel says fires everything, at most one tick late, and never spins. */
Test(timer, sleeping_as_told_is_never_late) {
    enum { MAX_MS = 5000, TURNS = 30000 };
    model_begin(987654, model_fired);
    for (int turn = 0; turn < TURNS; turn++) {
        timer_wheel_advance(&wheel, now_ms);
        model_check();
        change_some((unsigned)random_below(&seed, 3));
        uint64_t wait_ms = timer_wheel_wait_ms(&wheel, now_ms, MAX_MS);
        cr_assert(wait_ms >= 1 && wait_ms <= MAX_MS);
        size_t overslept = 0;
        for (size_t i = 0; i < ALARMS; i++) {
            overslept += alarms[i].set && now_ms + wait_ms - TIMER_TICK_MS > alarms[i].due_ms;
        }
        cr_assert_eq(overslept, 0);
        now_ms += wait_ms;
    }
}
