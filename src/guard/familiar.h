/*
 * Sources that are known, in so little room that the kernel can be told: a bit for each of a number of buckets, which a
 * source falls into by a keyed hash of the caller's. A bit that is set may stand for other sources too, but no known source
 * is without one; so with N known sources, N buckets at most are set, and strangers share them by chance.
 *
 * Two sets take turns: a bit stays for one to two times the period that a source is known for. One for the process.
 */
#ifndef GUARD_FAMILIAR_H
#define GUARD_FAMILIAR_H

#include "guard/sources.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    FAMILIAR_WORDS = 512,
    FAMILIAR_BUCKETS = 32 * FAMILIAR_WORDS,
    FAMILIAR_PERIOD_S = SOURCES_KNOWN_S,
};

struct familiar {
    _Atomic uint32_t words[2][FAMILIAR_WORDS];
    _Atomic uint64_t period;  /* of what was noted last, counted from the clock's begin; its lowest bit is its set's */
    _Atomic uint32_t version; /* changes with each bit that is set */
    pthread_mutex_t lock;     /* of the period, and of bits that are set or cleared */
};

void familiar_init(struct familiar *familiar);
void familiar_destroy(struct familiar *familiar);

/* A source of this bucket, below FAMILIAR_BUCKETS, is known from now on. From any thread; `now_ms` as for sources_prove. */
void familiar_note(struct familiar *familiar, uint32_t bucket, uint64_t now_ms);
/* Another number whenever there is more to collect. */
static inline uint32_t familiar_version(struct familiar *familiar) {
    return atomic_load_explicit(&familiar->version, memory_order_relaxed);
}
/* The bits of all buckets that have known sources, from any thread. */
void familiar_collect(struct familiar *familiar, uint64_t now_ms, uint32_t words[static FAMILIAR_WORDS]);

#endif
