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
    cr_assert_eq(stats_create(&stats, 2), 0);
    pthread_t threads[2];
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
