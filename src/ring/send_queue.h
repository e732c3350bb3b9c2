/*
 * The bytes that are still to be sent on one stream, in chunks of a slab that all streams of a ring share, so that a stream
 * with nothing to send holds no memory.
 */
#ifndef RING_SEND_QUEUE_H
#define RING_SEND_QUEUE_H

#include "base/bytes.h"
#include "base/slab.h"

#include <liburing.h>

enum { RING_CHUNK_SIZE = 16 * 1024 + 1024 /* one chunk, header included: a full TLS record and some */ };

/* Zeroed before its first use. */
struct send_queue {
    struct send_chunk *first;
    struct send_chunk *last;
    uint32_t size; /* bytes queued, those of a send in flight included */
};

/*
 * Appends a copy of `data`. 0, or -ENOBUFS when the slab is exhausted: a part of `data` is then queued. The objects of
 * `chunks` have RING_CHUNK_SIZE.
 */
int send_queue_append(struct send_queue *queue, struct slab *chunks, struct bytes data);
/*
 * Prepares `sqe` to send what the first few chunks hold. Returns how many bytes these are; the bytes stay where they are
 * until they are consumed. The queue must not be empty, and no other send of it may be in flight.
 */
uint32_t send_queue_prepare(const struct send_queue *queue, struct io_uring_sqe *sqe, int descriptor);
/* Drops `size` bytes from the front; at least as many must be queued. */
void send_queue_consume(struct send_queue *queue, struct slab *chunks, uint32_t size);
/* Drops everything; no send may be in flight. */
void send_queue_drop(struct send_queue *queue, struct slab *chunks);

#endif
