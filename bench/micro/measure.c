#include "micro/measure.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/memory.h>

static struct measure_allocations allocations;
/* The allocator behind the counter; NULL: libc's. */
static wolfSSL_Malloc_cb behind_malloc;
static wolfSSL_Free_cb behind_free;
static wolfSSL_Realloc_cb behind_realloc;

uint64_t measure_cpu_ns(void) {
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void series_add(struct series *series, double value) {
    CHECK(series->count < MEASURE_ROUNDS_MAX);
    series->values[series->count++] = value;
}

static int compare(const void *left, const void *right) {
    double a = *(const double *)left;
    double b = *(const double *)right;

    return (a > b) - (a < b);
}

double series_median(const struct series *series) {
    if (series->count == 0) {
        return 0;
    }
    double sorted[MEASURE_ROUNDS_MAX];
    memcpy(sorted, series->values, series->count * sizeof sorted[0]);
    qsort(sorted, series->count, sizeof sorted[0], compare);
    return (sorted[(series->count - 1) / 2] + sorted[series->count / 2]) / 2;
}

double series_ratio(const struct series *ours, const struct series *theirs) {
    struct series ratios = {.count = 0};

    CHECK(ours->count == theirs->count);
    for (size_t i = 0; i < ours->count; i++) {
        series_add(&ratios, ours->values[i] / theirs->values[i]);
    }
    return series_median(&ratios);
}

static void *count_malloc(size_t size) {
    allocations.count++;
    allocations.bytes += size;
    return behind_malloc == NULL ? malloc(size) : behind_malloc(size);
}

static void pass_free(void *pointer) {
    if (behind_free == NULL) {
        free(pointer);
    } else {
        behind_free(pointer);
    }
}

static void *count_realloc(void *pointer, size_t size) {
    allocations.count++;
    allocations.bytes += size;
    return behind_realloc == NULL ? realloc(pointer, size) : behind_realloc(pointer, size);
}

void measure_allocations_install(void) {
    CHECK(wolfSSL_GetAllocators(&behind_malloc, &behind_free, &behind_realloc) == 0);
    CHECK(wolfSSL_SetAllocators(count_malloc, pass_free, count_realloc) == 0);
}

struct measure_allocations measure_allocations_now(void) {
    return allocations;
}
