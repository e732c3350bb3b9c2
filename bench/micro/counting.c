#include "micro/counting.h"

#include "base/check.h"
#include "stats/stats.h"

#include <stdlib.h>

enum { LATENCIES = 1 << 16, SPREAD = 4096 };

struct counting {
    struct stats stats;
    uint64_t durations_ns[SPREAD];
};

struct counting *counting_create(void) {
    struct counting *counting = calloc(1, sizeof *counting);

    CHECK(counting != NULL && stats_create(&counting->stats, 1) == 0);
    srand(1);
    for (size_t i = 0; i < SPREAD; i++) {
        counting->durations_ns[i] = 20000 + (uint64_t)rand() % 20000000; /* 20 us to 20 ms */
    }
    return counting;
}

void counting_free(struct counting *counting) {
    stats_destroy(&counting->stats);
    free(counting);
}

void counting_measure(struct counting *counting, struct series *latency) {
    struct stats_shard *shard = &counting->stats.shards[0];
    uint64_t began_ns = measure_cpu_ns();

    for (size_t i = 0; i < LATENCIES; i++) {
        stats_time(shard, STATS_HANDSHAKE_FULL, counting->durations_ns[i % SPREAD]);
    }
    series_add(latency, (double)(measure_cpu_ns() - began_ns) / LATENCIES);
}
