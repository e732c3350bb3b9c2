/* Public-key operations eight at a time (crypto/lanes), beside wolfCrypt's single ones. */
#ifndef BENCH_MICRO_LANES_H
#define BENCH_MICRO_LANES_H

#include "crypto/lanes.h"
#include "micro/measure.h"

struct lanes_series {
    struct series single; /* nanoseconds of one operation of wolfCrypt */
    struct series call;   /* nanoseconds of a call with LANES_MAX jobs */
};

struct lanes_bench;

/* Only where lanes_supported says so. Makes RSA keys, which takes seconds. */
struct lanes_bench *lanes_bench_create(void);
void lanes_bench_free(struct lanes_bench *bench);
/* Adds to both series of a kind the means of `count` operations of each. */
void lanes_bench_measure(struct lanes_bench *bench, unsigned count, struct lanes_series series[static LANES_KINDS]);

/* Returns from how many jobs on a call was cheaper than single operations; LANES_MAX + 1 where it was not even for all. */
size_t lanes_bench_worth(const struct lanes_series *series);

#endif
