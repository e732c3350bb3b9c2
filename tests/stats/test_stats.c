#include "stats/stats.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

static bool all_zero(const void *memory, size_t size) {
    const uint8_t *bytes = memory;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

Test(stats, starts_at_zero_with_no_shared_cache_lines) {
    struct stats stats;
    cr_assert_eq(stats_create(&stats, 4), 0);
    cr_assert_eq(sizeof(struct stats_shard) % 64, 0);
    for (unsigned shard = 0; shard < 4; shard++) {
        cr_assert_eq((uintptr_t)&stats.shards[shard] % 64, 0);
        cr_assert(all_zero(&stats.shards[shard], offsetof(struct stats_shard, latencies)));
    }
    stats_destroy(&stats);
    cr_assert_null(stats.shards);
}

Test(stats, without_shards_it_aborts, .signal = SIGABRT) {
    struct stats stats;
    stats_create(&stats, 0);
}

Test(stats, counters_go_up_and_gauges_down_again) {
    stats_counter counter = 0;
    stats_add(&counter, 3);
    stats_add(&counter, 1);
    stats_subtract(&counter, 2);
    cr_assert_eq(stats_read(&counter), 2);
}

Test(stats, bucket_bounds_rise_from_10_us_to_60_s) {
    cr_assert_eq(stats_bucket_bound_ns(0), 10000);
    cr_assert_eq(stats_bucket_bound_ns(STATS_BUCKETS - 2), UINT64_C(60000000000));
    cr_assert_eq(stats_bucket_bound_ns(STATS_BUCKETS - 1), UINT64_MAX);
    for (unsigned i = 1; i < STATS_BUCKETS; i++) {
        cr_assert_gt(stats_bucket_bound_ns(i), stats_bucket_bound_ns(i - 1));
    }
}

Test(stats, a_duration_at_a_bound_is_in_its_bucket_and_one_over_is_in_the_next) {
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

static void *count_much(void *argument) {
    struct stats_shard *shard = argument;
    for (int i = 0; i < 200000; i++) {
        stats_add(&shard->connections_total, 1);
        stats_record(&shard->seconds[STATS_HANDSHAKE_FULL], 100000);
    }
    return NULL;
}

/* Each thread in its own block, and scrapes between: nothing is lost. */
Test(stats, shards_count_while_a_scrape_reads) {
    struct stats stats;
    pthread_t threads[2];
    cr_assert_eq(stats_create(&stats, 2), 0);
    for (unsigned i = 0; i < 2; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, count_much, &stats.shards[i]), 0);
    }
    for (int i = 0; i < 20; i++) {
        size_t size;
        char *page = stats_render_prometheus(&stats, &size);
        cr_assert_not_null(page);
        free(page);
    }
    for (unsigned i = 0; i < 2; i++) {
        cr_assert_eq(pthread_join(threads[i], NULL), 0);
        cr_assert_eq(stats_read(&stats.shards[i].connections_total), 200000);
        cr_assert_eq(stats_read(&stats.shards[i].seconds[STATS_HANDSHAKE_FULL].sum_ns), 200000u * UINT64_C(100000));
    }
    stats_destroy(&stats);
}
