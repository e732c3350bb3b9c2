#include "stats/recent.h"

#include <criterion/criterion.h>

static struct recent recent;
static uint64_t counters[RECENT_COUNTS];
static uint64_t second = 1234;

static void sample(uint64_t after_s) {
    second += after_s;
    recent_sample(&recent, counters, &(struct bits){0}, second);
}

static uint64_t of(unsigned count) {
    uint64_t counts[RECENT_COUNTS];
    recent_last_minute(&recent, counts);
    return counts[count];
}

/* Sixty seconds with so many valid handshakes in each. */
static void minute(uint64_t valid) {
    for (unsigned i = 0; i < 60; i++) {
        counters[RECENT_VERDICTS + REASON_OK] += valid;
        sample(1);
    }
}

Test(recent, what_was_before_the_first_call_is_left_out) {
    counters[RECENT_2XX] = 1000;
    sample(0);
    cr_expect_eq(of(RECENT_2XX), 0);
    counters[RECENT_2XX] += 7;
    sample(1);
    cr_expect_eq(of(RECENT_2XX), 7);
    cr_expect_eq(of(RECENT_4XX), 0);
}

Test(recent, what_came_is_in_it_for_a_minute) {
    for (unsigned begin = 0; begin < 10; begin++) {
        recent = (struct recent){0};
        second = 1230 + begin;
        sample(0);
        counters[RECENT_4XX] += 3;
        sample(1);
        for (unsigned i = 0; i < 50; i++) {
            cr_assert_eq(of(RECENT_4XX), 3, "%u seconds later", i);
            sample(1);
        }
        sample(10);
        cr_assert_eq(of(RECENT_4XX), 0);
    }
}

Test(recent, after_a_pause_only_the_newest_is_in_it) {
    sample(0);
    counters[RECENT_2XX] += 5;
    sample(1);
    counters[RECENT_2XX] += 2;
    sample(100000);
    cr_expect_eq(of(RECENT_2XX), 2);
}

Test(recent, requests_that_were_refused_are_not_good) {
    uint64_t counts[RECENT_COUNTS] = {0};
    counts[RECENT_VERDICTS + REASON_OK] = 4;
    counts[RECENT_VERDICTS + REASON_EXPIRED] = 100;
    counts[RECENT_2XX] = 10;
    counts[RECENT_4XX] = 3;
    counts[RECENT_GATEWAY] = 1;
    counts[RECENT_REFUSED + REASON_EXPIRED] = 2;
    counts[RECENT_REFUSED + REASON_ABSENT] = 1;
    cr_expect_eq(recent_requests(counts), 14);
    cr_expect_eq(recent_good(counts), 15);
    counts[RECENT_REFUSED + REASON_ABSENT] = 50; /* their answers are not through yet */
    cr_expect_eq(recent_good(counts), 4);
}

Test(recent, usual_is_the_least_of_the_minutes_before_the_newest) {
    sample(0);
    minute(5);
    minute(4);
    minute(6);
    cr_expect_eq(recent_usual(&recent).good, 0, "too little is known");
    minute(3);
    cr_expect_eq(recent_usual(&recent).good, 240, "the newest does not count");
    minute(6);
    cr_expect_eq(recent_usual(&recent).good, 180);
    for (unsigned i = 0; i < 8; i++) {
        minute(6);
    }
    cr_expect_eq(recent_usual(&recent).good, 180);
    minute(6);
    minute(6);
    cr_expect_eq(recent_usual(&recent).good, 360, "that was ten minutes ago");
}

/* So many seconds, in the last of which so many valid handshakes are seen. */
static void burst(unsigned seconds, uint64_t valid) {
    for (unsigned i = 1; i <= seconds; i++) {
        counters[RECENT_VERDICTS + REASON_OK] += i == seconds ? valid : 0;
        sample(1);
    }
}

Test(recent, usual_of_a_moment_is_the_least_of_ten_seconds) {
    sample(0);
    for (unsigned i = 0; i < 8; i++) {
        minute(5);
    }
    cr_expect_eq(recent_usual(&recent).good_of_moment, 50);
    for (unsigned i = 0; i < 100; i++) {
        burst(8, 40);
    }
    cr_expect_geq(recent_usual(&recent).good_of_moment, 40);
    for (unsigned i = 0; i < 30; i++) {
        burst(30, 150);
    }
    cr_expect_eq(recent_usual(&recent).good, 300);
    cr_expect_eq(recent_usual(&recent).good_of_moment, 0);
}

Test(recent, the_last_moment_is_two_slots_that_have_ended) {
    second = 1230;
    sample(0);
    for (unsigned i = 1; i <= 30; i++) {
        counters[RECENT_2XX] += i;
        sample(1);
    }
    uint64_t counts[RECENT_COUNTS];
    recent_last_moment(&recent, counts); /* of seconds 1250 to 1259 */
    cr_expect_eq(counts[RECENT_2XX], 20 + 21 + 22 + 23 + 24 + 25 + 26 + 27 + 28 + 29);
}

Test(recent, minutes_in_doubt_are_not_usual_until_a_day_has_passed) {
    sample(0);
    for (unsigned i = 0; i < 6; i++) {
        minute(5);
    }
    for (unsigned i = 0; i < RECENT_FORGET_MINUTES - 1; i++) {
        recent.in_doubt = true;
        minute(0);
        cr_assert_eq(recent_usual(&recent).good, 300, "%u", i);
    }
    recent.in_doubt = true;
    minute(0);
    cr_expect_eq(recent_usual(&recent).good, 0);
}

Test(recent, an_origin_is_down_when_it_has_been_for_three_seconds) {
    const uint64_t states[] = {1, 3, 3, 2, 0, 3};
    const uint64_t expected[] = {0, 0, 1, 2, 0, 0};
    for (unsigned i = 0; i < 6; i++) {
        recent_sample(&recent, counters, &(struct bits){{[BITS_WORDS - 1] = states[i]}}, ++second);
        cr_expect_eq(recent_down(&recent).words[BITS_WORDS - 1], expected[i], "%u", i);
        cr_expect_eq(recent_down(&recent).words[0], 0);
    }
}

Test(recent, a_valid_client_is_remembered) {
    sample(0);
    cr_expect_not(recent.valid_seen);
    counters[RECENT_VERDICTS + REASON_EXPIRED]++;
    sample(1);
    cr_expect_not(recent.valid_seen);
    counters[RECENT_VERDICTS + REASON_OK]++;
    sample(1);
    cr_expect(recent.valid_seen);
}
