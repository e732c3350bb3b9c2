/* How an operation in flight is told from others: what it was, on which object, in which use of it. Private to ring/. */
#ifndef RING_OPERATION_H
#define RING_OPERATION_H

#include "ring/ring.h"

enum operation {
    OPERATION_RECEIVE,
    OPERATION_SEND,
    OPERATION_CONNECT,
    OPERATION_SHUTDOWN,
    OPERATION_CANCEL,
    OPERATION_CLOSE,
    OPERATION_ACCEPT,
    OPERATION_MAILBOX,
    OPERATION_WATCH,
    OPERATION_IGNORED, /* nobody waits for it */
};

/* Streams: generation (24 bits), slot (32 bits), operation (8 bits). */
static inline uint64_t operation_of_slot(enum operation operation, uint32_t slot, uint32_t generation) {
    return (uint64_t)(generation & 0xffffff) << 40 | (uint64_t)slot << 8 | (uint64_t)operation;
}

/* Objects that outlive all of their operations: their address (56 bits are enough for any) above the operation. */
static inline uint64_t operation_of_pointer(enum operation operation, const void *pointer) {
    return (uint64_t)(uintptr_t)pointer << 8 | (uint64_t)operation;
}

static inline void *operation_pointer(uint64_t user_data) {
    return (void *)(uintptr_t)(user_data >> 8);
}

/* A submission entry, counted as in flight; submits what is prepared when the queue is full. Never NULL. */
struct io_uring_sqe *ring_submission(struct ring *ring, uint64_t user_data);

/* What the loop calls; each in its own module. */
void stream_complete(struct ring *ring, uint64_t user_data, int result, unsigned flags);
void stream_flush_all(struct ring *ring);
void stream_feed_starved(struct ring *ring);
void listener_complete(struct ring *ring, uint64_t user_data, int result);
void listener_resume_all(struct ring *ring);
void mailbox_complete(struct ring *ring, uint64_t user_data, int result);

/* A stream for the listener's next accept, without descriptor; NULL when all are in use. And the way back. */
struct stream *stream_reserve(struct ring *ring);
void stream_unreserve(struct stream *stream);

#endif
