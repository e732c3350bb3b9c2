/* Time of this thread, allocations of wolfSSL, and medians over rounds. */
#ifndef BENCH_MICRO_MEASURE_H
#define BENCH_MICRO_MEASURE_H

#include <stddef.h>
#include <stdint.h>

enum { MEASURE_ROUNDS_MAX = 1000 };

/* CPU time of this thread: what others take of the core does not count. A call costs a few tenths of a microsecond. */
uint64_t measure_cpu_ns(void);

/* One figure, once in each round. */
struct series {
    double values[MEASURE_ROUNDS_MAX];
    size_t count;
};

void series_add(struct series *series, double value);
/* 0 without values. */
double series_median(const struct series *series);
/* The median of what one is to the other in each round, so that what slows a whole round down does not matter. */
double series_ratio(const struct series *ours, const struct series *theirs);

struct measure_allocations {
    uint64_t count; /* malloc and realloc */
    uint64_t bytes; /* asked for */
};

/* Puts a counter in front of wolfSSL's allocator. After the library's init, before any context is made. */
void measure_allocations_install(void);
/* Since the install. */
struct measure_allocations measure_allocations_now(void);

#endif
