#include "ring/stream_internal.h"

/* Tells the owner that the stream is closed, and frees it. */
static void release(struct stream *stream) {
    struct ring *ring = stream->ring;

    stream->handler->closed(stream);
    stream_unreserve(stream);
    ring->stream_freed = true;
}

/* Submits a connect to no address (AF_UNSPEC), which ends a connection by a reset. `flags` are added to the entry's own. */
static void submit_disconnect(struct stream *stream, unsigned flags) {
    static const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    struct io_uring_sqe *sqe = ring_submission(stream->ring, operation_of_pointer(OPERATION_IGNORED, NULL));

    io_uring_prep_connect(sqe, stream->descriptor, &nobody, sizeof nobody);
    stream_mark_descriptor(stream, sqe);
    sqe->flags |= flags;
    stream->resets = false;
}

void stream_close_when_quiet(struct stream *stream) {
    if (stream->in_flight > 0 || stream->listed || stream->waiting) {
        return;
    }
    send_queue_drop(&stream->queue, &stream->ring->chunks);
    if (stream->descriptor < 0) {
        release(stream);
        return;
    }
    if (stream->resets) {
        submit_disconnect(stream, IOSQE_IO_HARDLINK); /* the close follows even when the reset fails */
    }
    struct io_uring_sqe *sqe = stream_submission(stream, OPERATION_CLOSE);
    if (stream->direct) {
        io_uring_prep_close_direct(sqe, (unsigned)stream->descriptor);
    } else {
        io_uring_prep_close(sqe, stream->descriptor);
    }
    stream->descriptor = -1;
}

/* Cancels an operation by its own name: by its descriptor the kernel would look through all that is in flight for it. */
static void cancel(struct stream *stream, enum operation operation) {
    uint32_t slot = slab_index(&stream->ring->streams, stream);
    struct io_uring_sqe *sqe = stream_submission(stream, OPERATION_CANCEL);

    io_uring_prep_cancel64(sqe, operation_of_slot(operation, slot, stream->generation), 0);
}

/* Ends what is in flight, which holds the socket: closing a descriptor cancels nothing. A reset ends sends and receives. */
static void end_operations(struct stream *stream, enum stream_state state) {
    if (stream->watching) {
        cancel(stream, OPERATION_WATCH);
    }
    if (stream->resets) {
        submit_disconnect(stream, 0);
        return;
    }
    if (state == STREAM_CONNECTING) {
        cancel(stream, OPERATION_CONNECT);
    }
    if (stream->receiving && !stream->waiting) {
        cancel(stream, stream->appetite > 0 ? OPERATION_READABLE : OPERATION_RECEIVE);
    }
    if (stream->sending > 0) {
        cancel(stream, OPERATION_SEND);
    }
}

void stream_close(struct stream *stream) {
    enum stream_state state = stream->state;

    if (stream->state == STREAM_CLOSING) {
        return;
    }
    timer_clear(&stream->ring->timers, &stream->linger);
    stream->state = STREAM_CLOSING;
    if (stream->in_flight == 0) {
        stream_close_when_quiet(stream);
        return;
    }
    end_operations(stream, state);
}

void stream_complete_close(struct ring *ring, uint64_t name, int result, unsigned flags) {
    release(stream_completed(ring, name));
}

void stream_complete_aside(struct ring *ring, uint64_t name, int result, unsigned flags) {
    struct stream *stream = stream_completed(ring, name);

    if (stream->state == STREAM_CLOSING) {
        stream_close_when_quiet(stream);
    }
}

void stream_reset(struct stream *stream) {
    stream->resets = stream->state != STREAM_CONNECTING && !stream->local;
    stream_close(stream);
}

void stream_linger_expired(struct timer *timer) {
    stream_close(CONTAINER_OF(timer, struct stream, linger));
}

static void set_linger(struct stream *stream, uint64_t delay_ms) {
    timer_set(&stream->ring->timers, &stream->linger, ring_now_ms(stream->ring), delay_ms);
}

static void submit_fin(struct stream *stream) {
    struct io_uring_sqe *sqe = stream_submission(stream, OPERATION_SHUTDOWN);

    io_uring_prep_shutdown(sqe, stream->descriptor, SHUT_WR);
    stream_mark_descriptor(stream, sqe);
}

void stream_end_half_on(struct stream *stream) {
    if (stream->queue.size == 0) {
        submit_fin(stream);
    }
}

void stream_end_half(struct stream *stream) {
    if (stream->state == STREAM_OPEN && !stream->half_ends) {
        stream->half_ends = true;
        stream_end_half_on(stream);
    }
}

/* The queue is empty: sends FIN, and drops what still comes for a while. */
static void linger(struct stream *stream) {
    if (stream->ended || (stream->resets && !stream->brief)) {
        stream_close(stream);
        return;
    }
    stream->state = STREAM_LINGERING;
    submit_fin(stream);
    stream->linger_until_ms = ring_now_ms(stream->ring) + (stream->brief ? STREAM_BRIEF_MAX_MS : STREAM_LINGER_MAX_MS);
    set_linger(stream, stream->brief ? STREAM_BRIEF_MS : STREAM_LINGER_MS);
    stream_receive(stream);
}

void stream_linger_on(struct stream *stream, int result) {
    uint64_t now_ms = ring_now_ms(stream->ring);

    if (result < 0 || (stream->ended && stream->state == STREAM_LINGERING) ||
        (stream->state == STREAM_LINGERING && now_ms >= stream->linger_until_ms)) {
        stream_close(stream);
        return;
    }
    if (stream->state == STREAM_LINGERING) {
        set_linger(stream, stream->brief ? STREAM_BRIEF_MS : STREAM_LINGER_MS);
    }
    stream_receive(stream);
}

void stream_finish_on(struct stream *stream) {
    if (stream->queue.size == 0) {
        linger(stream);
    } else if (ring_now_ms(stream->ring) >= stream->linger_until_ms) {
        stream_close(stream);
    } else {
        set_linger(stream, STREAM_FLUSH_MS);
    }
}

void stream_finish(struct stream *stream) {
    if (stream->state == STREAM_CONNECTING) {
        stream_close(stream);
    } else if (stream->state == STREAM_OPEN && stream->queue.size == 0) {
        linger(stream);
    } else if (stream->state == STREAM_OPEN) {
        stream->state = STREAM_FINISHING;
        stream->linger_until_ms = ring_now_ms(stream->ring) + STREAM_FLUSH_MAX_MS;
        set_linger(stream, STREAM_FLUSH_MS);
    }
}

void stream_finish_by_reset(struct stream *stream) {
    stream->resets = stream->state == STREAM_OPEN && !stream->local;
    stream_finish(stream);
}

void stream_finish_briefly(struct stream *stream) {
    stream->brief = stream->state == STREAM_OPEN;
    stream_finish_by_reset(stream);
}
