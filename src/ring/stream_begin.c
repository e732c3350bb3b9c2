#include "ring/stream_internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

struct stream *stream_reserve(struct ring *ring) {
    struct stream *stream = slab_take(&ring->streams);

    if (stream == NULL) {
        return NULL;
    }
    *stream = (struct stream){.ring = ring, .descriptor = -1, .state = STREAM_OPEN, .generation = ring->generation++};
    timer_init(&stream->linger, stream_linger_expired);
    return stream;
}

void stream_unreserve(struct stream *stream) {
    slab_give(&stream->ring->streams, stream);
}

struct stream *stream_connect(struct ring *ring, const struct sockaddr *address, socklen_t address_size,
                              const struct stream_handler *handler, void *owner, int *error) {
    struct stream *stream = stream_reserve(ring);

    if (stream == NULL) {
        *error = -ENOBUFS;
        return NULL;
    }
    /* Not SOCK_NONBLOCK: the ring would then answer EAGAIN instead of waiting. */
    stream->descriptor = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (stream->descriptor < 0) {
        *error = -errno;
        stream_unreserve(stream);
        return NULL;
    }
    int on = 1;
    setsockopt(stream->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    stream->handler = handler;
    stream->owner = owner;
    stream->state = STREAM_CONNECTING;
    struct io_uring_sqe *sqe = stream_submission(stream, OPERATION_CONNECT);
    io_uring_prep_connect(sqe, stream->descriptor, address, address_size);
    return stream;
}

void stream_complete_connect(struct ring *ring, uint64_t name, int result, unsigned flags) {
    struct stream *stream = stream_completed(ring, name);

    if (stream->state == STREAM_CLOSING) {
        stream_close_when_quiet(stream);
    } else if (result < 0) {
        stream->handler->failed(stream, result);
    } else {
        stream->state = STREAM_OPEN;
        if (stream->queue.size > 0) {
            stream_list_unsent(stream);
        }
        stream->handler->connected(stream);
    }
}

void stream_drop_filter(struct stream *stream) {
    static int unused;
    struct io_uring_sqe *sqe = ring_submission(stream->ring, operation_of_pointer(OPERATION_IGNORED, NULL));

    io_uring_prep_cmd_sock(sqe, SOCKET_URING_OP_SETSOCKOPT, stream->descriptor, SOL_SOCKET, SO_DETACH_FILTER, &unused,
                           sizeof unused);
    stream_mark_descriptor(stream, sqe);
}
