/* A batch and a supply for tests, and a count of what is computed in company. Linked with --wrap=lanes_compute. */
#ifndef TESTS_CRYPTO_COMPANY_H
#define TESTS_CRYPTO_COMPANY_H

#include "crypto/batch.h"
#include "crypto/supply.h"

#include <criterion/criterion.h>

static struct batch *batch;
static struct supply *supply;

/* Operations that were computed in company, by their kinds. */
static size_t computed[LANES_KINDS];
void __real_lanes_compute(enum lanes_kind kind, void *const jobs[], size_t count);
void __wrap_lanes_compute(enum lanes_kind kind, void *const jobs[], size_t count);
void __wrap_lanes_compute(enum lanes_kind kind, void *const jobs[], size_t count) {
    computed[kind] += count;
    __real_lanes_compute(kind, jobs, count);
}

/* Skips the test where there are no batches. */
static void company_need(void) {
    if (!batch_is_wanted()) {
        cr_skip_test("this processor has no AVX-512 IFMA, or SALLYPORT_CRYPTO is single");
    }
}

static void company_begin(void) {
    batch = batch_create();
    supply = supply_create();
    cr_assert(batch != NULL && supply != NULL);
}

static void company_end(void) {
    supply_destroy(supply);
    batch_destroy(batch);
}

#endif
