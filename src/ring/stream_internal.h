/* The functions that the parts of a stream share, and those that the loop calls. Private to ring/. */
#ifndef RING_STREAM_INTERNAL_H
#define RING_STREAM_INTERNAL_H

#include "base/check.h"
#include "ring/operation.h"
#include "ring/stream.h"

/* Returns a submission entry for an operation of the stream, counted as in flight. */
static inline struct io_uring_sqe *stream_submission(struct stream *stream, enum operation operation) {
    uint32_t slot = slab_index(&stream->ring->streams, stream);
    struct io_uring_sqe *sqe = ring_submission(stream->ring, operation_of_slot(operation, slot, stream->generation));

    stream->in_flight++;
    return sqe;
}

/* Says which kind of descriptor the entry has. After the prep function, which clears the flags. */
static inline void stream_mark_descriptor(const struct stream *stream, struct io_uring_sqe *sqe) {
    if (stream->direct) {
        sqe->flags |= IOSQE_FIXED_FILE;
    }
}

/* Returns the stream whose operation has completed, which is in flight no more. */
static inline struct stream *stream_completed(struct ring *ring, uint64_t name) {
    struct stream *stream = slab_at(&ring->streams, operation_slot(name));

    /* A stream outlives its operations, so one that finds another generation means a broken invariant. */
    CHECK(operation_is_of(name, stream->generation));
    stream->in_flight--;
    return stream;
}

/*
 * Returns a stream without descriptor; NULL when all are in use. stream_unreserve frees it. stream_reserve_accepted returns
 * one for the next accept of a listener; NULL also when all direct descriptors are spoken for: the kernel takes a connection
 * from the backlog before it looks for a descriptor, and resets it when there is none.
 */
struct stream *stream_reserve(struct ring *ring);
struct stream *stream_reserve_accepted(struct ring *ring);
void stream_unreserve(struct stream *stream);

/* Has the stream's queue sent at the end of the turn. */
void stream_list_unsent(struct stream *stream);
/* Fires for stream->linger: closes the stream. */
void stream_linger_expired(struct timer *timer);
/* Closes the descriptor of a stream that is closing, once nothing is in flight and the ring lists it nowhere. */
void stream_close_when_quiet(struct stream *stream);
/* Continues the end of a finishing stream after a send: lingers when the queue is empty, else waits for the next send. */
void stream_finish_on(struct stream *stream);
/* Continues the end of a half after a send: sends FIN when the queue is empty. */
void stream_end_half_on(struct stream *stream);
/* Continues the end of a stream that was finished after a receive, whose bytes are dropped: waits for more, or closes. */
void stream_linger_on(struct stream *stream, int result);

/* Called by the loop, once a turn each. */
void stream_feed_starved(struct ring *ring);
void stream_receive_large(struct ring *ring);
void stream_flush_all(struct ring *ring);

/* Called by the loop: the completions of each kind of operation. */
void stream_complete_receive(struct ring *ring, uint64_t name, int result, unsigned flags);
void stream_complete_readable(struct ring *ring, uint64_t name, int result, unsigned flags);
void stream_complete_large(struct ring *ring, uint64_t name, int result, unsigned flags);
void stream_complete_send(struct ring *ring, uint64_t name, int result, unsigned flags);
void stream_complete_connect(struct ring *ring, uint64_t name, int result, unsigned flags);
void stream_complete_watch(struct ring *ring, uint64_t name, int result, unsigned flags);
void stream_complete_close(struct ring *ring, uint64_t name, int result, unsigned flags);
/* Shutdown and cancel: their outcome shows in the operations that they are about. */
void stream_complete_aside(struct ring *ring, uint64_t name, int result, unsigned flags);

#endif
