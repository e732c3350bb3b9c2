#include "edge/pace.h"

#include <criterion/criterion.h>

struct scene {
    struct timer_wheel wheel;
    struct pace pace;
    uint64_t now_ms;
};

static struct scene scene;
static unsigned resumed;
static unsigned expired;

static void on_timer(struct timer *timer) {
    cr_assert_eq(timer, &scene.pace.timer);
    if (pace_resume(&scene.pace, &scene.wheel, scene.now_ms)) {
        resumed++;
    } else {
        expired++;
    }
}

static void pass(uint64_t ms) {
    for (uint64_t i = 0; i < ms; i++) {
        scene.now_ms++;
        timer_wheel_advance(&scene.wheel, scene.now_ms);
    }
}

static void begin(uint32_t deadline_ms) {
    scene.now_ms = 1000;
    resumed = expired = 0;
    timer_wheel_init(&scene.wheel, scene.now_ms);
    pace_init(&scene.pace, on_timer);
    pace_begin(&scene.pace);
    pace_set_deadline(&scene.pace, &scene.wheel, scene.now_ms, deadline_ms);
}

static void small_piece(size_t size) {
    pace_take_small_piece(&scene.pace, &scene.wheel, scene.now_ms, size);
}

/* How long the pause takes that this small piece begins. */
static uint64_t pause_after_small_piece(void) {
    uint64_t began_ms = scene.now_ms;
    unsigned before = resumed;
    small_piece(1);
    cr_assert(scene.pace.paused);
    while (scene.pace.paused) {
        pass(1);
    }
    cr_assert_eq(resumed, before + 1);
    return scene.now_ms - began_ms;
}

Test(pace, a_deadline_passes_once_and_not_early) {
    begin(500);
    pass(499);
    cr_expect_eq(expired, 0);
    pass(1 + TIMER_TICK_MS);
    cr_expect_eq(expired, 1);
    cr_expect_eq(resumed, 0);
}

Test(pace, the_first_small_pieces_are_free) {
    begin(60000);
    for (int i = 0; i < PACE_SMALL_FREE; i++) {
        small_piece(1);
        cr_expect_not(scene.pace.paused);
    }
    small_piece(PACE_SMALL_SIZE); /* none */
    cr_expect_not(scene.pace.paused);
    small_piece(PACE_SMALL_SIZE - 1);
    cr_expect(scene.pace.paused);
}

Test(pace, pauses_double_up_to_a_bound) {
    begin(60000);
    for (int i = 0; i < PACE_SMALL_FREE; i++) {
        small_piece(1);
    }
    for (uint64_t pause_ms = PACE_PAUSE_MS; pause_ms <= 4 * PACE_PAUSE_MAX_MS; pause_ms *= 2) {
        uint64_t expected_ms = pause_ms < PACE_PAUSE_MAX_MS ? pause_ms : PACE_PAUSE_MAX_MS;
        uint64_t took_ms = pause_after_small_piece();
        cr_expect_geq(took_ms, expected_ms);
        cr_expect_leq(took_ms, expected_ms + TIMER_TICK_MS);
    }
    cr_expect_eq(expired, 0);
}

Test(pace, a_pause_does_not_move_the_deadline) {
    begin(1000);
    for (int i = 0; i < PACE_SMALL_FREE + 4; i++) { /* the last of 256 ms */
        small_piece(1);
    }
    pass(300);
    cr_expect_eq(resumed, 1);
    cr_expect_eq(expired, 0);
    pass(500);
    for (int i = 0; i < 4; i++) {
        small_piece(1); /* a pause beyond the deadline */
    }
    cr_expect(scene.pace.paused);
    pass(200 + TIMER_TICK_MS);
    cr_expect_eq(resumed, 1);
    cr_expect_eq(expired, 1);
}

Test(pace, something_new_has_free_small_pieces_again_and_a_new_deadline_ends_a_pause) {
    begin(60000);
    for (int i = 0; i < PACE_SMALL_FREE + 3; i++) {
        small_piece(1);
    }
    cr_expect(scene.pace.paused);
    pace_begin(&scene.pace);
    pace_set_deadline(&scene.pace, &scene.wheel, scene.now_ms, 100);
    cr_expect_not(scene.pace.paused);
    small_piece(1);
    cr_expect_not(scene.pace.paused);
    pass(100 + TIMER_TICK_MS);
    cr_expect_eq(expired, 1);
    cr_expect_eq(resumed, 0);
}

Test(pace, ten_thousand_small_pieces_do_not_overflow) {
    begin(60000);
    for (int i = 0; i < 10000; i++) {
        small_piece(1);
    }
    cr_expect(scene.pace.paused);
    pass(PACE_PAUSE_MAX_MS + TIMER_TICK_MS);
    cr_expect_not(scene.pace.paused);
}

/* `rate` in bytes a second, asked for and delivered once a second. */
static bool survives(uint32_t rate, uint32_t seconds) {
    begin(60000);
    for (uint32_t i = 0; i < seconds; i++) {
        pace_arm(&scene.pace, scene.now_ms);
        scene.now_ms += 1000;
        if (!pace_take_body(&scene.pace, scene.now_ms, rate)) {
            return false;
        }
    }
    return true;
}

Test(pace, a_body_has_a_least_rate) {
    cr_expect(survives(PACE_BODY_RATE_MIN, 120));
    cr_expect_not(survives(PACE_BODY_RATE_MIN - 1, 120));
    cr_expect(survives(PACE_BODY_RATE_MIN - 1, PACE_BODY_WINDOW_MS / 1000 - 1), "not judged before the window is over");
}

Test(pace, time_in_which_nothing_was_asked_for_is_not_the_clients) {
    begin(60000);
    for (int i = 0; i < 100; i++) {
        scene.now_ms += 5000;
        pace_arm(&scene.pace, scene.now_ms);
        scene.now_ms += 10;
        cr_assert(pace_take_body(&scene.pace, scene.now_ms, 3));
    }
}

/* Whatever kept the shard from looking at it for so long: a body of which nothing came in all that time came too slowly. */
Test(pace, a_body_over_any_time) {
    static const uint64_t days[] = {25, 30, 49, 50, 1000};
    begin(1000);
    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
        uint64_t passed_ms = days[i] * 24 * 60 * 60 * 1000;
        pace_begin(&scene.pace);
        pace_arm(&scene.pace, scene.now_ms);
        cr_expect_not(pace_take_body(&scene.pace, scene.now_ms + passed_ms, 100), "%llu days", (unsigned long long)days[i]);
        /* Just beyond a wrap of 32 bits it would look as if no time had passed. */
        pace_begin(&scene.pace);
        cr_expect_not(pace_take_body(&scene.pace, scene.now_ms + ((uint64_t)days[i] << 32) + 1, 100));
    }
    pace_stop(&scene.pace, &scene.wheel);
}
