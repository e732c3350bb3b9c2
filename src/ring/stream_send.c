#include "ring/stream_internal.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

void stream_list_unsent(struct stream *stream) {
    if (!stream->listed) {
        stream->listed = true;
        stream->next_unsent = stream->ring->unsent;
        stream->ring->unsent = stream;
    }
}

int stream_write(struct stream *stream, struct bytes data) {
    CHECK((stream->state == STREAM_OPEN && !stream->half_ends) || stream->state == STREAM_CONNECTING);
    if (stream->send_failed) {
        return 0;
    }
    int result = send_queue_append(&stream->queue, &stream->ring->chunks, data);

    if (result < 0) {
        return result;
    }
    if (stream->queue.size > 0 && stream->sending == 0 && stream->state == STREAM_OPEN) {
        stream_list_unsent(stream);
    }
    return 0;
}

/* Submits a send of what is queued. Bytes that are written meanwhile wait for the next send. */
static void submit_send(struct stream *stream) {
    struct io_uring_sqe *sqe = stream_submission(stream, OPERATION_SEND);

    stream->sending = send_queue_prepare(&stream->queue, sqe, stream->descriptor);
    stream_mark_descriptor(stream, sqe);
}

void stream_flush_all(struct ring *ring) {
    struct stream *stream = ring->unsent;

    ring->unsent = NULL;
    while (stream != NULL) {
        struct stream *next = stream->next_unsent;

        stream->listed = false;
        if (stream->state == STREAM_CLOSING) {
            stream_close_when_quiet(stream);
        } else if (stream->queue.size > 0 && stream->sending == 0) {
            submit_send(stream);
        }
        stream = next;
    }
}

/* Tells the owner, or goes on with the end, after bytes have left; `before`: that were queued until now. */
static void tell_drained(struct stream *stream, uint32_t before) {
    if (stream->queue.size > 0) {
        stream_list_unsent(stream);
    }
    if (stream->state == STREAM_FINISHING) {
        stream_finish_on(stream);
        return;
    }
    if (stream->half_ends) {
        stream_end_half_on(stream);
    }
    if (stream->handler->drained != NULL &&
        (stream->queue.size == 0 || (before > STREAM_QUEUE_LOW && stream->queue.size <= STREAM_QUEUE_LOW))) {
        stream->handler->drained(stream);
    }
}

void stream_complete_send(struct ring *ring, uint64_t name, int result, unsigned flags) {
    struct stream *stream = stream_completed(ring, name);
    uint32_t before = stream->queue.size;

    stream->sending = 0;
    if (result > 0 && stream->direct) {
        ring->accepted_sent += (uint64_t)result;
    }
    if (stream->state == STREAM_CLOSING) {
        stream_close_when_quiet(stream);
        return;
    }
    if (result < 0 && result != -EINTR && result != -EAGAIN) {
        if (stream->state == STREAM_OPEN) {
            stream->send_failed = true;
            send_queue_drop(&stream->queue, &ring->chunks);
            stream->handler->failed(stream, result);
        } else {
            stream_close(stream);
        }
        return;
    }
    if (result > 0) {
        send_queue_consume(&stream->queue, &ring->chunks, (uint32_t)result);
        stream->bytes_sent += (uint64_t)result;
    }
    tell_drained(stream, before);
}

size_t stream_unacknowledged(const struct stream *stream) {
    CHECK(!stream->direct);
    int bytes;
    if (stream->local || stream->sending > 0 || ioctl(stream->descriptor, SIOCOUTQ, &bytes) < 0 || bytes < 0) {
        return SIZE_MAX;
    }
    return (size_t)bytes;
}
