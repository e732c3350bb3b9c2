#include "ring/stream_internal.h"

#include <errno.h>
#include <fcntl.h>
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

struct stream *stream_reserve_accepted(struct ring *ring) {
    struct stream *stream = ring->accepted < ring->options.accepted ? stream_reserve(ring) : NULL;

    if (stream != NULL) {
        stream->direct = true;
        ring->accepted++;
    }
    return stream;
}

void stream_unreserve(struct stream *stream) {
    stream->ring->accepted -= stream->direct;
    slab_give(&stream->ring->streams, stream);
}

static void submit_connect(struct stream *stream, const struct sockaddr *address, socklen_t address_size) {
    struct io_uring_sqe *sqe = stream_submission(stream, OPERATION_CONNECT);

    io_uring_prep_connect(sqe, stream->descriptor, address, address_size);
}

static void connect_again(struct timer *timer) {
    struct stream *stream = CONTAINER_OF(timer, struct stream, linger);

    submit_connect(stream, stream->address, stream->address_size);
}

/*
 * Makes the socket. A Unix socket must not wait for room in the backlog: the ring would have a thread of the kernel wait for
 * each. A TCP socket must: the ring would answer EAGAIN instead of waiting.
 */
static int make_socket(struct stream *stream, const struct sockaddr *address, socklen_t address_size) {
    stream->local = address->sa_family == AF_UNIX;
    stream->descriptor = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | (stream->local ? SOCK_NONBLOCK : 0), 0);
    if (stream->descriptor < 0) {
        return -errno;
    }
    if (stream->local) {
        stream->address = address;
        stream->address_size = address_size;
        stream->linger.fire = connect_again;
    } else {
        int on = 1;
        setsockopt(stream->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    return 0;
}

struct stream *stream_connect(struct ring *ring, const struct sockaddr *address, socklen_t address_size,
                              const struct stream_handler *handler, void *owner, int *error) {
    struct stream *stream = stream_reserve(ring);

    if (stream == NULL) {
        *error = -ENOBUFS;
        return NULL;
    }
    *error = make_socket(stream, address, address_size);
    if (*error < 0) {
        stream_unreserve(stream);
        return NULL;
    }
    stream->handler = handler;
    stream->owner = owner;
    stream->state = STREAM_CONNECTING;
    submit_connect(stream, address, address_size);
    return stream;
}

/* From now on its operations wait, as those of TCP do. */
static void connect_local(struct stream *stream) {
    int flags = fcntl(stream->descriptor, F_GETFL);

    CHECK(flags >= 0 && fcntl(stream->descriptor, F_SETFL, flags & ~O_NONBLOCK) == 0);
    stream->address = NULL;
    stream->linger.fire = stream_linger_expired;
}

/* Waits for room in the backlog of a Unix socket. */
static void wait_to_connect(struct stream *stream) {
    uint64_t delay_ms = STREAM_AGAIN_MIN_MS << stream->again;

    if (delay_ms < STREAM_AGAIN_MAX_MS) {
        stream->again++;
    }
    timer_set(&stream->ring->timers, &stream->linger, ring_now_ms(stream->ring), delay_ms);
}

void stream_complete_connect(struct ring *ring, uint64_t name, int result, unsigned flags) {
    struct stream *stream = stream_completed(ring, name);

    if (stream->state == STREAM_CLOSING) {
        stream_close_when_quiet(stream);
    } else if (result == -EAGAIN && stream->local) {
        wait_to_connect(stream);
    } else if (result < 0) {
        stream->handler->failed(stream, result);
    } else {
        if (stream->local) {
            connect_local(stream);
        }
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
