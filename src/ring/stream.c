#include "ring/stream.h"

#include "base/check.h"
#include "ring/operation.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { OTHERS_TURN = 8 }; /* of so many buffers one is for streams that are not favoured */

static void close_when_quiet(struct stream *stream);

static struct io_uring_sqe *submission(struct stream *stream, enum operation operation) {
    uint32_t slot = slab_index(&stream->ring->streams, stream);
    struct io_uring_sqe *sqe = ring_submission(stream->ring, operation_of_slot(operation, slot, stream->generation));

    stream->in_flight++;
    return sqe;
}

/* After the prep function, which clears the flags. */
static void address_descriptor(const struct stream *stream, struct io_uring_sqe *sqe) {
    if (stream->direct) {
        sqe->flags |= IOSQE_FIXED_FILE;
    }
}

static void linger_expired(struct timer *timer) {
    stream_close(CONTAINER_OF(timer, struct stream, linger));
}

struct stream *stream_reserve(struct ring *ring) {
    struct stream *stream = slab_take(&ring->streams);

    if (stream == NULL) {
        return NULL;
    }
    *stream = (struct stream){.ring = ring, .descriptor = -1, .state = STREAM_OPEN, .generation = ring->generation++};
    timer_init(&stream->linger, linger_expired);
    return stream;
}

void stream_unreserve(struct stream *stream) {
    slab_give(&stream->ring->streams, stream);
}

static void release(struct stream *stream) {
    struct ring *ring = stream->ring;

    stream->handler->closed(stream);
    slab_give(&ring->streams, stream);
    if (ring->paused != NULL) {
        listener_resume_all(ring);
    }
}

static void submit_receive(struct stream *stream) {
    struct io_uring_sqe *sqe = submission(stream, OPERATION_RECEIVE);

    io_uring_prep_recv(sqe, stream->descriptor, NULL, RING_RECEIVE_SIZE, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = 0;
    if (stream->poll_first) {
        sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
    }
    address_descriptor(stream, sqe);
}

static void starve(struct stream *stream) {
    struct ring_waiting *waiting = &stream->ring->starved[stream->favoured];

    stream->starved = true;
    stream->next_starved = NULL;
    if (waiting->last == NULL) {
        waiting->first = stream;
    } else {
        waiting->last->next_starved = stream;
    }
    waiting->last = stream;
}

void stream_receive(struct stream *stream) {
    if (stream->receiving || stream->ended || stream->state == STREAM_CLOSING || stream->state == STREAM_CONNECTING) {
        return;
    }
    stream->receiving = true;
    /* While its likes wait for a buffer, each waits behind them: else busy sockets would leave none for the rest. */
    const struct ring_waiting *starved = stream->ring->starved;

    if (starved[true].first != NULL || (!stream->favoured && starved[false].first != NULL)) {
        starve(stream);
    } else {
        submit_receive(stream);
    }
}

/*
 * A poll is told of FIN whether it asks for it or not, and would end with the one that has come. A multishot poll goes on,
 * and reports what comes behind.
 */
void stream_watch(struct stream *stream) {
    if (stream->watching || stream->state != STREAM_OPEN) {
        return;
    }
    struct io_uring_sqe *sqe = submission(stream, OPERATION_WATCH);

    io_uring_prep_poll_multishot(sqe, stream->descriptor, POLLERR | POLLHUP);
    address_descriptor(stream, sqe);
    stream->watching = true;
}

/* Takes the next waiting stream off its list; NULL: none waits. Even the favoured streams do not get all the buffers. */
static struct stream *next_starved(struct ring *ring, uint32_t turn) {
    bool favoured = turn % OTHERS_TURN != OTHERS_TURN - 1;
    struct ring_waiting *waiting = &ring->starved[ring->starved[favoured].first != NULL ? favoured : !favoured];
    struct stream *stream = waiting->first;

    if (stream != NULL) {
        waiting->first = stream->next_starved;
        if (waiting->first == NULL) {
            waiting->last = NULL;
        }
        stream->starved = false;
    }
    return stream;
}

/* As many as there are buffers. Streams on the ring's lists stay until served, closing ones too: see close_when_quiet. */
void stream_feed_starved(struct ring *ring) {
    for (uint32_t i = 0; i < ring->options.receive_buffers; i++) {
        struct stream *stream = next_starved(ring, i);

        if (stream == NULL) {
            return;
        }
        if (stream->state == STREAM_CLOSING) {
            close_when_quiet(stream);
        } else {
            submit_receive(stream);
        }
    }
}

static void list_unsent(struct stream *stream) {
    if (!stream->listed) {
        stream->listed = true;
        stream->next_unsent = stream->ring->unsent;
        stream->ring->unsent = stream;
    }
}

int stream_write(struct stream *stream, struct bytes data) {
    int result;

    CHECK(stream->state == STREAM_OPEN || stream->state == STREAM_CONNECTING);
    result = send_queue_append(&stream->queue, &stream->ring->chunks, data);
    if (result < 0) {
        return result;
    }
    if (stream->queue.size > 0 && stream->sending == 0 && stream->state == STREAM_OPEN) {
        list_unsent(stream);
    }
    return 0;
}

bool stream_is_quiet(const struct stream *stream) {
    char byte;

    CHECK(!stream->direct);
    return !stream->ended && stream->state == STREAM_OPEN &&
           recv(stream->descriptor, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

size_t stream_unacknowledged(const struct stream *stream) {
    int bytes;

    CHECK(!stream->direct);
    if (stream->sending > 0 || ioctl(stream->descriptor, SIOCOUTQ, &bytes) < 0 || bytes < 0) {
        return SIZE_MAX;
    }
    return (size_t)bytes;
}

/* What is written meanwhile waits for the next send. */
static void submit_send(struct stream *stream) {
    struct io_uring_sqe *sqe = submission(stream, OPERATION_SEND);

    stream->sending = send_queue_prepare(&stream->queue, sqe, stream->descriptor);
    address_descriptor(stream, sqe);
}

void stream_flush_all(struct ring *ring) {
    struct stream *stream = ring->unsent;

    ring->unsent = NULL;
    while (stream != NULL) {
        struct stream *next = stream->next_unsent;

        stream->listed = false;
        if (stream->state == STREAM_CLOSING) {
            close_when_quiet(stream);
        } else if (stream->queue.size > 0 && stream->sending == 0) {
            submit_send(stream);
        }
        stream = next;
    }
}

/* Connecting to nobody ends a connection by a reset. `flags`: of the submission, beside those that it needs. */
static void submit_disconnect(struct stream *stream, unsigned flags) {
    static const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    struct io_uring_sqe *sqe = ring_submission(stream->ring, operation_of_pointer(OPERATION_IGNORED, NULL));

    io_uring_prep_connect(sqe, stream->descriptor, &nobody, sizeof nobody);
    address_descriptor(stream, sqe);
    sqe->flags |= flags;
    stream->resets = false;
}

/* Everything that was in flight has come back: the descriptor can go, and with it the stream. */
static void close_when_quiet(struct stream *stream) {
    struct io_uring_sqe *sqe;

    if (stream->in_flight > 0 || stream->listed || stream->starved) {
        return;
    }
    send_queue_drop(&stream->queue, &stream->ring->chunks);
    if (stream->descriptor < 0) {
        release(stream);
        return;
    }
    if (stream->resets) {
        submit_disconnect(stream, IOSQE_IO_HARDLINK); /* the close follows, whatever comes of it */
    }
    sqe = submission(stream, OPERATION_CLOSE);
    if (stream->direct) {
        io_uring_prep_close_direct(sqe, (unsigned)stream->descriptor);
    } else {
        io_uring_prep_close(sqe, stream->descriptor);
    }
    stream->descriptor = -1;
}

/* By its own name: the kernel would look through all that is in flight for one that is named by its descriptor. */
static void cancel(struct stream *stream, enum operation operation) {
    uint32_t slot = slab_index(&stream->ring->streams, stream);
    struct io_uring_sqe *sqe = submission(stream, OPERATION_CANCEL);

    io_uring_prep_cancel64(sqe, operation_of_slot(operation, slot, stream->generation), 0);
}

/* Closing does not cancel: what is in flight holds the socket. A reset ends it too. */
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
    if (stream->receiving && !stream->starved) {
        cancel(stream, OPERATION_RECEIVE);
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
        close_when_quiet(stream);
        return;
    }
    end_operations(stream, state);
}

void stream_drop_filter(struct stream *stream) {
    static int unused;
    struct io_uring_sqe *sqe = ring_submission(stream->ring, operation_of_pointer(OPERATION_IGNORED, NULL));

    io_uring_prep_cmd_sock(sqe, SOCKET_URING_OP_SETSOCKOPT, stream->descriptor, SOL_SOCKET, SO_DETACH_FILTER, &unused,
                           sizeof unused);
    address_descriptor(stream, sqe);
}

void stream_reset(struct stream *stream) {
    stream->resets = stream->state != STREAM_CONNECTING;
    stream_close(stream);
}

static void set_linger(struct stream *stream, uint64_t delay_ms) {
    timer_set(&stream->ring->timers, &stream->linger, ring_now_ms(stream->ring), delay_ms);
}

static void linger(struct stream *stream) {
    struct io_uring_sqe *sqe;

    if (stream->ended || (stream->resets && !stream->brief)) {
        stream_close(stream);
        return;
    }
    stream->state = STREAM_LINGERING;
    sqe = submission(stream, OPERATION_SHUTDOWN);
    io_uring_prep_shutdown(sqe, stream->descriptor, SHUT_WR);
    address_descriptor(stream, sqe);
    stream->linger_until_ms = ring_now_ms(stream->ring) + (stream->brief ? STREAM_BRIEF_MAX_MS : STREAM_LINGER_MAX_MS);
    set_linger(stream, stream->brief ? STREAM_BRIEF_MS : STREAM_LINGER_MS);
    stream_receive(stream);
}

/* Discards what came, and waits for more or for the end. */
static void linger_on(struct stream *stream, int result) {
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
    stream->resets = stream->state == STREAM_OPEN;
    stream_finish(stream);
}

void stream_finish_briefly(struct stream *stream) {
    stream->brief = stream->state == STREAM_OPEN;
    stream_finish_by_reset(stream);
}

static void completed_receive(struct stream *stream, int result, unsigned flags) {
    struct ring *ring = stream->ring;
    struct bytes data = {0};

    if (result > 0 && stream->direct) {
        ring->accepted_received += (uint64_t)result;
    }
    if (stream->state == STREAM_CLOSING) {
        stream->receiving = false;
        close_when_quiet(stream);
        return;
    }
    if (result == -ENOBUFS) {
        starve(stream);
        return;
    }
    stream->receiving = false;
    stream->poll_first = !(flags & IORING_CQE_F_SOCK_NONEMPTY);
    if (result == -EINTR || result == -EAGAIN) {
        stream_receive(stream);
        return;
    }
    if (result > 0) {
        data = bytes_of(ring->buffers + (size_t)(flags >> IORING_CQE_BUFFER_SHIFT) * RING_RECEIVE_SIZE, (size_t)result);
        stream->bytes_received += (uint64_t)result;
    }
    stream->ended = result == 0;
    if (stream->state == STREAM_OPEN) {
        if (result >= 0) {
            stream->handler->received(stream, data);
        } else {
            stream->handler->failed(stream, result);
        }
        return;
    }
    linger_on(stream, result);
}

static void completed_send(struct stream *stream, int result) {
    uint32_t before = stream->queue.size;

    stream->sending = 0;
    if (result > 0 && stream->direct) {
        stream->ring->accepted_sent += (uint64_t)result;
    }
    if (stream->state == STREAM_CLOSING) {
        close_when_quiet(stream);
        return;
    }
    if (result < 0 && result != -EINTR && result != -EAGAIN) {
        if (stream->state == STREAM_OPEN) {
            stream->handler->failed(stream, result);
        } else {
            stream_close(stream);
        }
        return;
    }
    if (result > 0) {
        send_queue_consume(&stream->queue, &stream->ring->chunks, (uint32_t)result);
        stream->bytes_sent += (uint64_t)result;
    }
    if (stream->queue.size > 0) {
        list_unsent(stream);
    }
    if (stream->state == STREAM_FINISHING) {
        if (stream->queue.size == 0) {
            linger(stream);
        } else if (ring_now_ms(stream->ring) >= stream->linger_until_ms) {
            stream_close(stream);
        } else {
            set_linger(stream, STREAM_FLUSH_MS);
        }
    } else if (stream->handler->drained != NULL &&
               (stream->queue.size == 0 || (before > STREAM_QUEUE_LOW && stream->queue.size <= STREAM_QUEUE_LOW))) {
        stream->handler->drained(stream);
    }
}

static void completed_connect(struct stream *stream, int result) {
    if (stream->state == STREAM_CLOSING) {
        close_when_quiet(stream);
    } else if (result < 0) {
        stream->handler->failed(stream, result);
    } else {
        stream->state = STREAM_OPEN;
        if (stream->queue.size > 0) {
            list_unsent(stream);
        }
        stream->handler->connected(stream);
    }
}

/* `result` has the poll's events, or says that it could not go on. */
static void completed_watch(struct stream *stream, int result, unsigned flags) {
    bool over = result >= 0 && (result & (POLLERR | POLLHUP)) != 0;

    if ((flags & IORING_CQE_F_MORE) != 0) {
        stream->in_flight++; /* it is still armed */
        stream->ring->in_flight++;
    } else {
        stream->watching = false;
    }
    if (stream->state == STREAM_CLOSING) {
        close_when_quiet(stream);
    } else if (over && stream->state == STREAM_OPEN) {
        stream->handler->failed(stream, -ECONNRESET);
    } else if (over) {
        stream_close(stream);
    } else if (!stream->watching && result >= 0) {
        stream_watch(stream);
    }
}

void stream_complete(struct ring *ring, uint64_t user_data, int result, unsigned flags) {
    struct stream *stream = slab_at(&ring->streams, (uint32_t)(user_data >> 8));

    /* A stream outlives its operations, so one that finds another generation means a broken invariant. */
    CHECK((stream->generation & 0xffffff) == user_data >> 40);
    stream->in_flight--;
    switch ((enum operation)(user_data & 0xff)) {
    case OPERATION_RECEIVE:
        completed_receive(stream, result, flags);
        break;
    case OPERATION_SEND:
        completed_send(stream, result);
        break;
    case OPERATION_CONNECT:
        completed_connect(stream, result);
        break;
    case OPERATION_CLOSE:
        release(stream);
        break;
    case OPERATION_WATCH:
        completed_watch(stream, result, flags);
        break;
    default:
        /* Shutdown and cancel: their outcome shows in the operations they are about. */
        if (stream->state == STREAM_CLOSING) {
            close_when_quiet(stream);
        }
    }
}

struct stream *stream_connect(struct ring *ring, const struct sockaddr *address, socklen_t address_size,
                              const struct stream_handler *handler, void *owner, int *error) {
    struct stream *stream = stream_reserve(ring);
    struct io_uring_sqe *sqe;
    int on = 1;

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
    setsockopt(stream->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    stream->handler = handler;
    stream->owner = owner;
    stream->state = STREAM_CONNECTING;
    sqe = submission(stream, OPERATION_CONNECT);
    io_uring_prep_connect(sqe, stream->descriptor, address, address_size);
    return stream;
}
