/* The cost of counting in a shard: one latency, into its histograms. */
#ifndef BENCH_MICRO_COUNTING_H
#define BENCH_MICRO_COUNTING_H

#include "micro/measure.h"

struct counting;

struct counting *counting_create(void);
void counting_free(struct counting *counting);
/* Nanoseconds for each of many latencies, spread over the range that handshakes and requests have. */
void counting_measure(struct counting *counting, struct series *latency);

#endif
