#include "stats/rollout.h"

#include <criterion/criterion.h>

static struct rollout rollout;
static uint64_t counters[REASON_COUNT];

static void sample(uint64_t minute, uint64_t more) {
    counters[REASON_EXPIRED] += more;
    rollout_sample(&rollout, counters, minute);
}

Test(rollout, what_was_before_is_not_counted_and_what_comes_is) {
    counters[REASON_EXPIRED] = 1000;
    sample(5, 0);
    cr_expect_eq(rollout_last_hour(&rollout, REASON_EXPIRED), 0);
    sample(5, 3);
    sample(6, 4);
    cr_expect_eq(rollout_last_hour(&rollout, REASON_EXPIRED), 7);
    cr_expect_eq(rollout_last_day(&rollout, REASON_EXPIRED), 7);
    cr_expect_eq(rollout_last_hour(&rollout, REASON_REVOKED), 0);
}

Test(rollout, an_hour_and_a_day_pass) {
    sample(100, 0);
    sample(100, 1);
    sample(159, 10);
    cr_expect_eq(rollout_last_hour(&rollout, REASON_EXPIRED), 11);
    sample(160, 0);
    cr_expect_eq(rollout_last_hour(&rollout, REASON_EXPIRED), 10);
    sample(218, 0);
    cr_expect_eq(rollout_last_hour(&rollout, REASON_EXPIRED), 10);
    sample(219, 0);
    cr_expect_eq(rollout_last_hour(&rollout, REASON_EXPIRED), 0);
    cr_expect_eq(rollout_last_day(&rollout, REASON_EXPIRED), 11);
    sample(24 * 60 + 59, 0);
    cr_expect_eq(rollout_last_day(&rollout, REASON_EXPIRED), 11);
    sample(25 * 60, 0);
    cr_expect_eq(rollout_last_day(&rollout, REASON_EXPIRED), 10, "the hour of minute 100 is gone, that of 159 is not");
    sample(26 * 60, 0);
    cr_expect_eq(rollout_last_day(&rollout, REASON_EXPIRED), 0);
}

Test(rollout, after_days_without_a_sample_all_is_empty) {
    sample(0, 0);
    sample(1, 5);
    sample(100000, 2);
    cr_expect_eq(rollout_last_hour(&rollout, REASON_EXPIRED), 2);
    cr_expect_eq(rollout_last_day(&rollout, REASON_EXPIRED), 2);
}

Test(rollout, every_minute_of_three_days_is_in_it_once) {
    sample(0, 0);
    for (uint64_t minute = 1; minute < 3 * 24 * 60; minute++) {
        sample(minute, 1);
        cr_assert_eq(rollout_last_hour(&rollout, REASON_EXPIRED), minute < 60 ? minute : 60);
        uint64_t hours = 60 * 23 + minute % 60 + 1;
        cr_assert_eq(rollout_last_day(&rollout, REASON_EXPIRED), minute < 24 * 60 ? minute : hours, "%lu", minute);
    }
}

Test(rollout, spans_of_days) {
    const int64_t day = 24 * 3600;
    cr_expect_eq(rollout_span_of(-5), 0);
    cr_expect_eq(rollout_span_of(day - 1), 0);
    cr_expect_eq(rollout_span_of(day), 1);
    cr_expect_eq(rollout_span_of(7 * day - 1), 1);
    cr_expect_eq(rollout_span_of(364 * day), 4);
    cr_expect_eq(rollout_span_of(365 * day), ROLLOUT_SPANS - 1);
    cr_expect_eq(rollout_span_of(INT64_MAX), ROLLOUT_SPANS - 1);
}

Test(rollout, names_of_several_shards_come_together) {
    static struct rollout_clients names[2] = {{.lock = PTHREAD_MUTEX_INITIALIZER}, {.lock = PTHREAD_MUTEX_INITIALIZER}};
    static struct sketch issuers, skis;
    rollout_note_client(&names[0], bytes_of_string("CN=A"), bytes_of_string("01"));
    rollout_note_client(&names[1], bytes_of_string("CN=A"), bytes_of_string("02"));
    rollout_note_client(&names[1], bytes_of_string("CN=B"), bytes_of("", 0));
    rollout_gather_clients(&names[0], &issuers, &skis);
    rollout_gather_clients(&names[1], &issuers, &skis);
    cr_assert(issuers.used == 2 && skis.used == 2);
    cr_expect(bytes_equal(sketch_key(&issuers.entries[0]), bytes_of_string("CN=A")));
    cr_expect_eq(issuers.entries[0].count, 2);
}
