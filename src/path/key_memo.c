#include "path/key_memo.h"

#include "base/check.h"

bool key_allowance_take(struct key_allowance *allowance) {
    if (allowance->left == 0) {
        allowance->exceeded = true;
        return false;
    }
    allowance->left--;
    return true;
}

void key_memo_init(struct key_memo *memo) {
    CHECK(pthread_mutex_init(&memo->lock, NULL) == 0);
    atomic_init(&memo->count, 0);
}

void key_memo_destroy(struct key_memo *memo) {
    pthread_mutex_destroy(&memo->lock);
}

bool key_memo_find(struct key_memo *memo, const uint8_t key[static SIGNATURE_SHA256_SIZE], bool *holds) {
    unsigned count = atomic_load_explicit(&memo->count, memory_order_acquire);
    for (unsigned i = 0; i < count; i++) {
        if (memcmp(memo->entries[i].key, key, SIGNATURE_SHA256_SIZE) == 0) {
            *holds = memo->entries[i].holds;
            return true;
        }
    }
    return false;
}

void key_memo_add(struct key_memo *memo, const uint8_t key[static SIGNATURE_SHA256_SIZE], bool holds) {
    CHECK(pthread_mutex_lock(&memo->lock) == 0);
    unsigned count = atomic_load_explicit(&memo->count, memory_order_relaxed);
    bool known;
    /* Two threads may have checked at once. */
    if (count < KEY_MEMO_MAX && !key_memo_find(memo, key, &known)) {
        memcpy(memo->entries[count].key, key, SIGNATURE_SHA256_SIZE);
        memo->entries[count].holds = holds;
        atomic_store_explicit(&memo->count, count + 1, memory_order_release);
    }
    CHECK(pthread_mutex_unlock(&memo->lock) == 0);
}
