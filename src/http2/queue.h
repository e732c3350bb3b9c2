/* Bytes that wait, first in, first out, in blocks from malloc, which are counted. */
#ifndef HTTP2_QUEUE_H
#define HTTP2_QUEUE_H

#include "base/bytes.h"
#include "http2/memory.h"

struct http2_block;

/* Zeroed before its first use. */
struct http2_queue {
    struct http2_block *first;
    struct http2_block *last;
    size_t size; /* bytes that wait */
};

/* Appends a copy. False: out of memory, and nothing was appended. Bytes that are appended to an empty queue stay in one
 * piece. */
bool http2_queue_append(struct http2_queue *queue, struct http2_memory *memory, struct bytes bytes);
/* Returns the first piece; empty when the queue is. */
struct bytes http2_queue_front(const struct http2_queue *queue);
/* Drops `size` bytes at the front, at most those of the first piece. */
void http2_queue_drop(struct http2_queue *queue, struct http2_memory *memory, size_t size);
/* Drops all. */
void http2_queue_clear(struct http2_queue *queue, struct http2_memory *memory);

#endif
