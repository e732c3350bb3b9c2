#include "stats/road.h"

#include <criterion/criterion.h>

static struct road road;
static uint64_t counters[REASON_COUNT];

static void sample(uint64_t minute, uint64_t more) {
    counters[REASON_EXPIRED] += more;
    road_sample(&road, counters, minute);
}

Test(road, what_was_before_is_not_counted_and_what_comes_is) {
    counters[REASON_EXPIRED] = 1000;
    sample(5, 0);
    cr_expect_eq(road_last_hour(&road, REASON_EXPIRED), 0);
    sample(5, 3);
    sample(6, 4);
    cr_expect_eq(road_last_hour(&road, REASON_EXPIRED), 7);
    cr_expect_eq(road_last_day(&road, REASON_EXPIRED), 7);
    cr_expect_eq(road_last_hour(&road, REASON_REVOKED), 0);
}

Test(road, an_hour_and_a_day_pass) {
    sample(100, 0);
    sample(100, 1);
    sample(159, 10);
    cr_expect_eq(road_last_hour(&road, REASON_EXPIRED), 11);
    sample(160, 0);
    cr_expect_eq(road_last_hour(&road, REASON_EXPIRED), 10);
    sample(218, 0);
    cr_expect_eq(road_last_hour(&road, REASON_EXPIRED), 10);
    sample(219, 0);
    cr_expect_eq(road_last_hour(&road, REASON_EXPIRED), 0);
    cr_expect_eq(road_last_day(&road, REASON_EXPIRED), 11);
    sample(24 * 60 + 59, 0);
    cr_expect_eq(road_last_day(&road, REASON_EXPIRED), 11);
    sample(25 * 60, 0);
    cr_expect_eq(road_last_day(&road, REASON_EXPIRED), 10, "the hour of minute 100 is gone, that of 159 is not");
    sample(26 * 60, 0);
    cr_expect_eq(road_last_day(&road, REASON_EXPIRED), 0);
}

Test(road, after_days_without_a_sample_all_is_empty) {
    sample(0, 0);
    sample(1, 5);
    sample(100000, 2);
    cr_expect_eq(road_last_hour(&road, REASON_EXPIRED), 2);
    cr_expect_eq(road_last_day(&road, REASON_EXPIRED), 2);
}

Test(road, every_minute_of_three_days_is_in_it_once) {
    sample(0, 0);
    for (uint64_t minute = 1; minute < 3 * 24 * 60; minute++) {
        sample(minute, 1);
        cr_assert_eq(road_last_hour(&road, REASON_EXPIRED), minute < 60 ? minute : 60);
        uint64_t hours = 60 * 23 + minute % 60 + 1;
        cr_assert_eq(road_last_day(&road, REASON_EXPIRED), minute < 24 * 60 ? minute : hours, "%lu", minute);
    }
}

Test(road, spans_of_days) {
    const int64_t day = 24 * 3600;
    cr_expect_eq(road_span_of(-5), 0);
    cr_expect_eq(road_span_of(day - 1), 0);
    cr_expect_eq(road_span_of(day), 1);
    cr_expect_eq(road_span_of(7 * day - 1), 1);
    cr_expect_eq(road_span_of(364 * day), 4);
    cr_expect_eq(road_span_of(365 * day), ROAD_SPANS - 1);
    cr_expect_eq(road_span_of(INT64_MAX), ROAD_SPANS - 1);
}

Test(road, names_of_several_shards_come_together) {
    static struct road_names names[2] = {{.lock = PTHREAD_MUTEX_INITIALIZER}, {.lock = PTHREAD_MUTEX_INITIALIZER}};
    static struct sketch issuers, skis;
    road_note(&names[0], bytes_of_string("CN=A"), bytes_of_string("01"));
    road_note(&names[1], bytes_of_string("CN=A"), bytes_of_string("02"));
    road_note(&names[1], bytes_of_string("CN=B"), bytes_of("", 0));
    road_gather(&names[0], &issuers, &skis);
    road_gather(&names[1], &issuers, &skis);
    cr_assert(issuers.used == 2 && skis.used == 2);
    cr_expect(bytes_equal(sketch_key(&issuers.entries[0]), bytes_of_string("CN=A")));
    cr_expect_eq(issuers.entries[0].count, 2);
}
