/*
 * The set of known sources, so small that the kernel's filter can hold it: a bit for each of a number of buckets. The caller
 * chooses the bucket of a source by a keyed hash. Each known source has its bit; a bit may stand for other sources too. With
 * N known sources at most N buckets are set, and strangers share them by chance.
 *
 * Two sets take turns: a bit stays for one to two times the period for which a source is known. One for the process.
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
    _Atomic uint64_t period;  /* the current one, counted from the clock's begin; its lowest bit is the index of its set */
    _Atomic uint32_t version; /* changes with each bit that is set */
    pthread_mutex_t lock;     /* protects the period, and the setting and clearing of bits */
};

void familiar_init(struct familiar *familiar);
void familiar_destroy(struct familiar *familiar);

/* Notes that a source of this bucket, below FAMILIAR_BUCKETS, is known. From any thread; `now_ms` as for sources_prove. */
void familiar_note(struct familiar *familiar, uint32_t bucket, uint64_t now_ms);
/* Returns a number that changes whenever there is more to collect. */
static inline uint32_t familiar_version(struct familiar *familiar) {
    return atomic_load_explicit(&familiar->version, memory_order_relaxed);
}
/* Copies the bits of all buckets that have known sources. From any thread. */
void familiar_collect(struct familiar *familiar, uint64_t now_ms, uint32_t words[static FAMILIAR_WORDS]);

#endif
