/*
 * Operations in flight: how one is submitted, and how its completion is told from others by a name of 64 bits, which says
 * what the operation was, on which object, and in which use of that object. Private to ring/.
 */
#ifndef RING_OPERATION_H
#define RING_OPERATION_H

#include "ring/state.h"

enum operation {
    OPERATION_RECEIVE,
    OPERATION_READABLE, /* a poll for bytes, which a large receive will take */
    OPERATION_RECEIVE_LARGE,
    OPERATION_SEND,
    OPERATION_CONNECT,
    OPERATION_SHUTDOWN,
    OPERATION_CANCEL,
    OPERATION_CLOSE,
    OPERATION_ACCEPT,
    OPERATION_MAILBOX,
    OPERATION_WATCH,
    OPERATION_IGNORED, /* nothing waits for its completion */
    OPERATIONS,
};

/* Names an operation of a stream: generation (24 bits), slot (32 bits), operation (8 bits). */
static inline uint64_t operation_of_slot(enum operation operation, uint32_t slot, uint32_t generation) {
    return (uint64_t)(generation & 0xffffff) << 40 | (uint64_t)slot << 8 | (uint64_t)operation;
}

static inline uint32_t operation_slot(uint64_t name) {
    return (uint32_t)(name >> 8);
}

/* Returns whether the operation was submitted in this use of its slot. */
static inline bool operation_is_of(uint64_t name, uint32_t generation) {
    return (generation & 0xffffff) == name >> 40;
}

/* Names an operation of an object that outlives it: the object's address (56 bits hold any) above the operation. */
static inline uint64_t operation_of_pointer(enum operation operation, const void *pointer) {
    return (uint64_t)(uintptr_t)pointer << 8 | (uint64_t)operation;
}

static inline void *operation_pointer(uint64_t name) {
    return (void *)(uintptr_t)(name >> 8);
}

static inline enum operation operation_kind(uint64_t name) {
    return (enum operation)(name & 0xff);
}

/* Runs the handlers of the operations that have completed, but not of those that complete meanwhile. */
void ring_complete_ready(struct ring *ring);
/* Returns a submission entry with that name, counted as in flight. Submits what is prepared when the queue is full. */
struct io_uring_sqe *ring_submission(struct ring *ring, uint64_t name);

#endif
