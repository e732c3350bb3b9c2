#include "stats/counters.h"

#include <criterion/criterion.h>

Test(counters, counters_go_up_and_gauges_down_again) {
    stats_counter counter = 0;
    stats_add(&counter, 3);
    stats_add(&counter, 1);
    stats_subtract(&counter, 2);
    cr_assert_eq(stats_read(&counter), 2);
}

Test(counters, bucket_bounds_rise_from_10_us_to_60_s) {
    cr_assert_eq(stats_bucket_bound_ns(0), 10000);
    cr_assert_eq(stats_bucket_bound_ns(STATS_BUCKETS - 2), UINT64_C(60000000000));
    cr_assert_eq(stats_bucket_bound_ns(STATS_BUCKETS - 1), UINT64_MAX);
    for (unsigned i = 1; i < STATS_BUCKETS; i++) {
        cr_assert_gt(stats_bucket_bound_ns(i), stats_bucket_bound_ns(i - 1));
    }
}

Test(counters, a_duration_at_a_bound_is_in_its_bucket_and_one_over_is_in_the_next) {
    for (unsigned bucket = 0; bucket < STATS_BUCKETS - 1; bucket++) {
        struct stats_histogram histogram = {0};
        uint64_t bound = stats_bucket_bound_ns(bucket);
        stats_record(&histogram, bound);
        stats_record(&histogram, bound + 1);
        cr_assert_eq(stats_read(&histogram.buckets[bucket]), 1);
        cr_assert_eq(stats_read(&histogram.buckets[bucket + 1]), 1);
        cr_assert_eq(stats_read(&histogram.sum_ns), 2 * bound + 1);
    }
    struct stats_histogram histogram = {0};
    stats_record(&histogram, 0);
    stats_record(&histogram, UINT64_MAX);
    cr_assert_eq(stats_read(&histogram.buckets[0]), 1);
    cr_assert_eq(stats_read(&histogram.buckets[STATS_BUCKETS - 1]), 1);
}
