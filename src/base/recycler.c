#include "base/recycler.h"

#include "base/sanitizers.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

enum {
    STEP = 16,
    SIZES = RECYCLER_SIZE_MAX / STEP + 1,
};

/* The sanitizers are to see each end of a block's life. */
#if defined(WITH_ASAN) || defined(WITH_TSAN)
static const bool keeps = false;
#else
static const bool keeps = true;
#endif

/* A block that is kept begins with the next one. */
struct kept {
    struct kept *next;
};

/* Blocks with at least index * STEP usable bytes, and less than one STEP more. */
struct stock {
    struct kept *first;
    uint32_t count;
};

static _Thread_local struct stock stocks[SIZES];
static _Thread_local size_t kept_bytes;

void *recycler_take(size_t size) {
    size_t index = size == 0 ? 1 : (size + STEP - 1) / STEP;

    if (size > RECYCLER_SIZE_MAX || !keeps) {
        return malloc(size);
    }
    struct stock *stock = &stocks[index];
    struct kept *block = stock->first;
    if (block == NULL) {
        return malloc(index * STEP);
    }
    stock->first = block->next;
    stock->count--;
    kept_bytes -= index * STEP;
    return block;
}

void recycler_give(void *block) {
    size_t index = block == NULL ? 0 : malloc_usable_size(block) / STEP;

    if (index == 0 || index >= SIZES || !keeps || stocks[index].count == RECYCLER_KEPT_MAX ||
        kept_bytes + index * STEP > RECYCLER_BYTES_MAX) {
        free(block);
        return;
    }
    struct kept *kept = block;
    kept->next = stocks[index].first;
    stocks[index].first = kept;
    stocks[index].count++;
    kept_bytes += index * STEP;
}

void recycler_empty(void) {
    for (size_t i = 0; i < SIZES; i++) {
        while (stocks[i].first != NULL) {
            struct kept *block = stocks[i].first;

            stocks[i].first = block->next;
            free(block);
        }
        stocks[i].count = 0;
    }
    kept_bytes = 0;
}
