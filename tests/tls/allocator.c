#include "allocator.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

/* In front of each block. */
struct block {
    _Alignas(64) struct block *next;
    struct block *previous;
    size_t size;
};

static struct block blocks = {&blocks, &blocks, 0};
static size_t live_bytes, live_blocks, count, fail_at;

static void *allocate(size_t size) {
    if (++count == fail_at) {
        return NULL;
    }
    struct block *block = aligned_alloc(64, (sizeof *block + size + 63) / 64 * 64);
    block->size = size;
    block->next = blocks.next;
    block->previous = &blocks;
    block->next->previous = blocks.next = block;
    live_bytes += size;
    live_blocks++;
    return block + 1;
}

static void release(void *pointer) {
    if (pointer == NULL) {
        return;
    }
    struct block *block = (struct block *)pointer - 1;
    block->next->previous = block->previous;
    block->previous->next = block->next;
    live_bytes -= block->size;
    live_blocks--;
    free(block);
}

static void *resize(void *pointer, size_t size) {
    void *grown = allocate(size);
    if (grown == NULL || pointer == NULL) {
        return grown;
    }
    size_t old = ((struct block *)pointer - 1)->size;
    memcpy(grown, pointer, old < size ? old : size);
    release(pointer);
    return grown;
}

void allocator_install(void) {
    cr_assert_eq(wolfSSL_SetAllocators(allocate, release, resize), 0);
}

size_t allocator_live_bytes(void) {
    return live_bytes;
}

size_t allocator_live_blocks(void) {
    return live_blocks;
}

size_t allocator_count(void) {
    return count;
}

void allocator_fail_at(size_t n) {
    count = 0;
    fail_at = n;
}

uint8_t *allocator_find(struct bytes wanted, size_t index) {
    for (struct block *block = blocks.next; block != &blocks; block = block->next) {
        uint8_t *found = memmem(block + 1, block->size, wanted.data, wanted.size);
        if (found != NULL && index-- == 0) {
            return found;
        }
    }
    return NULL;
}
