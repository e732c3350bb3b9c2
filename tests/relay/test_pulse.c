#include "relay/pulse.h"

#include <criterion/criterion.h>

enum { PING_MS = 1000, AGAIN_MS = 60000 };

static enum pulse_step look(struct pulse *pulse, uint64_t now_ms) {
    return pulse_look(pulse, now_ms, PING_MS, AGAIN_MS);
}

Test(pulse, pings_an_origin_that_is_silent_and_gives_it_up) {
    struct pulse pulse = {0};
    pulse_hear(&pulse, 5000);
    cr_expect_eq(look(&pulse, 5000 + PING_MS - 1), PULSE_WAIT);
    cr_expect_eq(look(&pulse, 5000 + PING_MS), PULSE_PING);
    cr_expect_eq(look(&pulse, 5000 + 2 * PING_MS - 1), PULSE_WAIT);
    cr_expect_eq(look(&pulse, 5000 + 2 * PING_MS), PULSE_LOST);
}

Test(pulse, takes_any_bytes_for_an_answer) {
    struct pulse pulse = {0};
    pulse_hear(&pulse, 5000);
    cr_expect_eq(look(&pulse, 6000), PULSE_PING);
    pulse_hear(&pulse, 6900);
    cr_expect_eq(look(&pulse, 7000), PULSE_WAIT);
    cr_expect_eq(look(&pulse, 7800), PULSE_WAIT);
}

Test(pulse, pings_seldom_between_two_responses) {
    struct pulse pulse = {0};
    pulse_hear(&pulse, 5000);
    cr_expect_eq(look(&pulse, 6000), PULSE_PING);
    pulse_hear(&pulse, 6001);
    cr_expect_eq(look(&pulse, 6000 + AGAIN_MS - 1), PULSE_WAIT);
    cr_expect_eq(look(&pulse, 6000 + AGAIN_MS), PULSE_PING);
    pulse_hear(&pulse, 67000);
    pulse_note_response(&pulse);
    cr_expect_eq(look(&pulse, 67000 + PING_MS), PULSE_PING);
}

Test(pulse, holds_no_silence_against_an_origin_that_had_nothing_to_do) {
    struct pulse pulse = {0};
    pulse_hear(&pulse, 5000);
    pulse_wake(&pulse, 90000);
    cr_expect_eq(look(&pulse, 90000 + PING_MS - 1), PULSE_WAIT);
    cr_expect_eq(look(&pulse, 90000 + PING_MS), PULSE_PING);
}

Test(pulse, tells_how_long_nothing_has_come) {
    struct pulse pulse = {0};
    pulse_hear(&pulse, 5000);
    cr_expect_eq(pulse_silence_ms(&pulse, 4000, 7000), 2000);
    cr_expect_eq(pulse_silence_ms(&pulse, 6500, 7000), 500);
}
