#include "http2/queue.h"

#include "base/check.h"

enum { BLOCK_DATA_MIN = 1000 }; /* small appends share a block */

struct http2_block {
    struct http2_block *next;
    uint8_t *at;  /* the first byte that waits */
    uint8_t *end; /* behind the last */
    uint8_t *limit;
    uint8_t data[];
};

static struct http2_block *new_block(struct http2_memory *memory, size_t size) {
    size_t capacity = size < BLOCK_DATA_MIN ? BLOCK_DATA_MIN : size;
    struct http2_block *block = http2_allocate(memory, sizeof *block + capacity);
    if (block != NULL) {
        block->next = NULL;
        block->at = block->end = block->data;
        block->limit = block->data + capacity;
    }
    return block;
}

static void fill(struct http2_block *block, struct bytes bytes) {
    if (bytes.size > 0) {
        memcpy(block->end, bytes.data, bytes.size);
        block->end += bytes.size;
    }
}

bool http2_queue_append(struct http2_queue *queue, struct http2_memory *memory, struct bytes bytes) {
    size_t room = queue->last == NULL ? 0 : (size_t)(queue->last->limit - queue->last->end);
    size_t first = bytes.size < room ? bytes.size : room;
    if (bytes.size > first) {
        struct http2_block *block = new_block(memory, bytes.size - first);
        if (block == NULL) {
            return false;
        }
        fill(block, bytes_of(bytes.data + first, bytes.size - first));
        if (queue->last == NULL) {
            queue->first = block;
        } else {
            fill(queue->last, bytes_of(bytes.data, first));
            queue->last->next = block;
        }
        queue->last = block;
    } else if (first > 0) {
        fill(queue->last, bytes);
    }
    queue->size += bytes.size;
    return true;
}

struct bytes http2_queue_front(const struct http2_queue *queue) {
    const struct http2_block *block = queue->first;
    return block == NULL ? bytes_of(NULL, 0) : bytes_of(block->at, (size_t)(block->end - block->at));
}

void http2_queue_drop(struct http2_queue *queue, struct http2_memory *memory, size_t size) {
    struct http2_block *block = queue->first;
    if (size == 0) {
        return;
    }
    CHECK(block != NULL && size <= (size_t)(block->end - block->at));
    block->at += size;
    queue->size -= size;
    if (block->at == block->end) {
        queue->first = block->next;
        if (queue->first == NULL) {
            queue->last = NULL;
        }
        http2_release(memory, block);
    }
}

void http2_queue_clear(struct http2_queue *queue, struct http2_memory *memory) {
    while (queue->first != NULL) {
        struct http2_block *block = queue->first;
        queue->first = block->next;
        http2_release(memory, block);
    }
    *queue = (struct http2_queue){0};
}
