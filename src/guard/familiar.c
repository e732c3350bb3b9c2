#include "guard/familiar.h"

#include "base/check.h"

#include <string.h>

void familiar_init(struct familiar *familiar) {
    memset(familiar, 0, sizeof *familiar);
    CHECK(pthread_mutex_init(&familiar->lock, NULL) == 0);
}

void familiar_destroy(struct familiar *familiar) {
    CHECK(pthread_mutex_destroy(&familiar->lock) == 0);
}

static uint64_t period_of(uint64_t now_ms) {
    return now_ms / ((uint64_t)FAMILIAR_PERIOD_S * 1000);
}

static void clear(struct familiar *familiar, uint64_t period) {
    for (size_t i = 0; i < FAMILIAR_WORDS; i++) {
        atomic_store_explicit(&familiar->words[period & 1][i], 0, memory_order_relaxed);
    }
}

/* Makes `period` the current one, unless it is that already, or over: a caller's clock may be a little behind. */
static void begin_period(struct familiar *familiar, uint64_t period) {
    uint64_t before = atomic_load_explicit(&familiar->period, memory_order_relaxed);

    if (period <= before) {
        return;
    }
    clear(familiar, period);
    if (period > before + 1) {
        clear(familiar, period - 1);
    }
    atomic_store_explicit(&familiar->period, period, memory_order_relaxed);
}

void familiar_note(struct familiar *familiar, uint32_t bucket, uint64_t now_ms) {
    uint64_t period = period_of(now_ms);
    uint32_t bit = UINT32_C(1) << bucket % 32;

    CHECK(bucket < FAMILIAR_BUCKETS);
    _Atomic uint32_t *word = &familiar->words[period & 1][bucket / 32];
    /* Most sources come again and again, and are noted already: no lock for them. */
    if (atomic_load_explicit(&familiar->period, memory_order_relaxed) == period &&
        (atomic_load_explicit(word, memory_order_relaxed) & bit) != 0) {
        return;
    }
    pthread_mutex_lock(&familiar->lock);
    begin_period(familiar, period);
    period = atomic_load_explicit(&familiar->period, memory_order_relaxed);
    atomic_fetch_or_explicit(&familiar->words[period & 1][bucket / 32], bit, memory_order_relaxed);
    atomic_fetch_add_explicit(&familiar->version, 1, memory_order_relaxed);
    pthread_mutex_unlock(&familiar->lock);
}

void familiar_collect(struct familiar *familiar, uint64_t now_ms, uint32_t words[static FAMILIAR_WORDS]) {
    pthread_mutex_lock(&familiar->lock);
    begin_period(familiar, period_of(now_ms));
    for (size_t i = 0; i < FAMILIAR_WORDS; i++) {
        words[i] = atomic_load_explicit(&familiar->words[0][i], memory_order_relaxed) |
                   atomic_load_explicit(&familiar->words[1][i], memory_order_relaxed);
    }
    pthread_mutex_unlock(&familiar->lock);
}
