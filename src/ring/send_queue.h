/*
 * What is still to be sent on one stream: bytes in chunks of a slab that all streams of a ring share, so that who has
 * nothing to send holds nothing.
 */
#ifndef RING_SEND_QUEUE_H
#define RING_SEND_QUEUE_H

#include "base/bytes.h"
#include "base/slab.h"

#include <liburing.h>

/* Zeroed before its first use. */
struct send_queue {
    struct send_chunk *first;
    struct send_chunk *last;
    uint32_t size; /* bytes in it, those of a send in flight too */
};

/* Copies. 0, or -ENOBUFS when the slab is exhausted: a part of `data` is then queued. `chunks`: of RING_CHUNK_SIZE. */
int send_queue_append(struct send_queue *queue, struct slab *chunks, struct bytes data);
/*
 * Prepares `sqe` to send what the first few chunks hold. Returns how many bytes; they stay where they are until they are
 * consumed. Not for an empty queue, nor while another send of it is in flight.
 */
uint32_t send_queue_prepare(const struct send_queue *queue, struct io_uring_sqe *sqe, int descriptor);
/* Forgets `size` bytes from the front, at most what is queued. */
void send_queue_consume(struct send_queue *queue, struct slab *chunks, uint32_t size);
/* Forgets everything; no send may be in flight. */
void send_queue_drop(struct send_queue *queue, struct slab *chunks);

#endif
