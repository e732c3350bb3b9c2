#include "stats/latency.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

static const uint64_t US = 1000;

static struct latencies latencies;
static struct hdr_histogram *recycled;

static void begin(void) {
    cr_assert_eq(latency_create(&latencies), 0);
    recycled = latency_histogram();
    cr_assert_not_null(recycled);
}

static void end(void) {
    hdr_close(recycled);
    latency_destroy(&latencies);
}

TestSuite(latency, .init = begin, .fini = end);

static const struct hdr_histogram *take(enum stats_latency what) {
    recycled = latency_take(&latencies, what, recycled);
    return recycled;
}

Test(latency, each_has_a_name_of_its_own) {
    for (unsigned i = 0; i < STATS_LATENCY_COUNT; i++) {
        for (unsigned j = 0; j < i; j++) {
            cr_expect_str_neq(stats_latency_name((enum stats_latency)i), stats_latency_name((enum stats_latency)j));
        }
    }
}

/* One to 100,000 us, once each: a percentile is known, to three digits. */
Test(latency, percentiles_of_a_known_distribution) {
    static const double points[] = {50, 90, 99, 99.9, 100};
    for (uint64_t us = 1; us <= 100000; us++) {
        latency_record(&latencies, STATS_REQUEST, us * US);
    }
    const struct hdr_histogram *histogram = take(STATS_REQUEST);
    cr_assert_eq(histogram->total_count, 100000);
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        double expected = points[i] * 1000;
        double value = (double)hdr_value_at_percentile(histogram, points[i]);
        cr_expect(value >= expected * 0.999 && value <= expected * 1.001, "p%g is %g", points[i], value);
    }
}

Test(latency, what_is_out_of_range_counts_at_its_ends) {
    latency_record(&latencies, STATS_ORIGIN, 0);
    latency_record(&latencies, STATS_ORIGIN, 999);
    latency_record(&latencies, STATS_ORIGIN, UINT64_MAX);
    const struct hdr_histogram *histogram = take(STATS_ORIGIN);
    cr_expect_eq(histogram->total_count, 3);
    cr_expect_eq(hdr_min(histogram), 1);
    cr_expect_geq(hdr_max(histogram), LATENCY_MAX_US);
    cr_expect_leq(hdr_max(histogram), LATENCY_MAX_US + LATENCY_MAX_US / 1000);
}

Test(latency, kinds_are_apart_and_what_was_taken_is_gone) {
    latency_record(&latencies, STATS_VERIFY_CACHED, 5 * US);
    cr_expect_eq(take(STATS_VERIFY_FULL)->total_count, 0);
    cr_expect_eq(take(STATS_VERIFY_CACHED)->total_count, 1);
    cr_expect_eq(take(STATS_VERIFY_CACHED)->total_count, 0);
    latency_record(&latencies, STATS_VERIFY_CACHED, 7 * US);
    cr_expect_eq(hdr_max(take(STATS_VERIFY_CACHED)), 7);
}

enum { RECORDS = 1000000 };
static atomic_bool recorded;

static void *record_much(void *argument) {
    for (uint64_t i = 0; i < RECORDS; i++) {
        latency_record(&latencies, STATS_HELLO_QUEUE, (i % 1000 + 1) * US);
    }
    atomic_store(&recorded, true);
    return argument;
}

Test(latency, nothing_is_lost_while_another_thread_takes) {
    pthread_t thread;
    int64_t total = 0;
    bool last = false;
    cr_assert_eq(pthread_create(&thread, NULL, record_much, NULL), 0);
    while (!last) {
        last = atomic_load(&recorded);
        total += take(STATS_HELLO_QUEUE)->total_count;
    }
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_expect_eq(total, RECORDS);
}
