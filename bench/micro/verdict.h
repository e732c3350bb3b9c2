/* The cost of a verdict: in full, by kind of key; and from a cache with a million entries, with the memory of the cache. */
#ifndef BENCH_MICRO_VERDICT_H
#define BENCH_MICRO_VERDICT_H

#include "micro/measure.h"
#include "micro/pki.h"

struct verdict_series {
    struct series judge[PKI_KEYS]; /* ns: leaf, intermediate and root with keys of this kind, headers rendered */
    struct series hash;            /* ns: the key of a chain, which a look-up begins with */
    struct series hit;             /* ns: the look-up behind that */
    struct series miss;
    uint32_t entries;
    double identity_bytes; /* of the heap, for one typical identity */
    double entry_bytes;    /* of the cache, for one entry */
};

struct verdicts;

/*
 * Fills a cache with `entries` identities, each an object of its own, as those of as many clients would be: a gigabyte for a
 * million. The chain's headers are the default ones and four more.
 */
struct verdicts *verdicts_create(uint32_t entries, struct verdict_series *series);
void verdicts_free(struct verdicts *verdicts);
/* Adds one round. */
void verdicts_measure(struct verdicts *verdicts, struct verdict_series *series);

#endif
