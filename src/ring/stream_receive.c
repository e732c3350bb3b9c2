#include "ring/stream_internal.h"

#include <errno.h>
#include <poll.h>

enum { OTHERS_TURN = 8 }; /* one of so many buffers is for streams that are not favoured */

static void submit_receive(struct stream *stream) {
    struct io_uring_sqe *sqe = stream_submission(stream, OPERATION_RECEIVE);

    io_uring_prep_recv(sqe, stream->descriptor, NULL, RING_RECEIVE_SIZE, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = 0;
    if (stream->poll_first) {
        sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
    }
    stream_mark_descriptor(stream, sqe);
}

/* Puts the stream at the end of a list. */
static void wait_in(struct ring_waiting *waiting, struct stream *stream) {
    stream->waiting = true;
    stream->next_waiting = NULL;
    if (waiting->last == NULL) {
        waiting->first = stream;
    } else {
        waiting->last->next_waiting = stream;
    }
    waiting->last = stream;
}

/* Takes the first stream off a list; NULL: none waits there. */
static struct stream *take_first(struct ring_waiting *waiting) {
    struct stream *stream = waiting->first;

    if (stream != NULL) {
        waiting->first = stream->next_waiting;
        if (waiting->first == NULL) {
            waiting->last = NULL;
        }
        stream->waiting = false;
    }
    return stream;
}

/* Has the stream wait for a receive buffer. */
static void starve(struct stream *stream) {
    wait_in(&stream->ring->starved[stream->favoured], stream);
}

static bool may_receive(const struct stream *stream) {
    return !stream->receiving && !stream->ended && stream->state != STREAM_CLOSING && stream->state != STREAM_CONNECTING;
}

void stream_receive(struct stream *stream) {
    if (!may_receive(stream)) {
        return;
    }
    stream->receiving = true;
    stream->appetite = 0;
    /* While others of its kind wait for a buffer, a stream waits behind them: else busy sockets would leave them none. */
    const struct ring_waiting *starved = stream->ring->starved;

    if (starved[true].first != NULL || (!stream->favoured && starved[false].first != NULL)) {
        starve(stream);
    } else {
        submit_receive(stream);
    }
}

/* Takes the next waiting stream off its list; NULL: none waits. Even the favoured streams do not get all the buffers. */
static struct stream *next_starved(struct ring *ring, uint32_t turn) {
    bool favoured = turn % OTHERS_TURN != OTHERS_TURN - 1;

    return take_first(&ring->starved[ring->starved[favoured].first != NULL ? favoured : !favoured]);
}

/*
 * Submits as many receives as there are buffers. A stream stays on the ring's lists until it is served, also when it closes:
 * see stream_close_when_quiet.
 */
void stream_feed_starved(struct ring *ring) {
    for (uint32_t i = 0; i < ring->options.receive_buffers; i++) {
        struct stream *stream = next_starved(ring, i);

        if (stream == NULL) {
            return;
        }
        if (stream->state == STREAM_CLOSING) {
            stream_close_when_quiet(stream);
        } else {
            submit_receive(stream);
        }
    }
}

/* Hands to the owner what a receive has brought, which is in `buffer`. */
static void deliver(struct stream *stream, int result, const uint8_t *buffer) {
    struct bytes data = {0};

    if (result > 0) {
        data = bytes_of(buffer, (size_t)result);
        stream->bytes_received += (uint64_t)result;
    }
    stream->ended = result == 0;
    stream->flows = result >= RING_RECEIVE_SIZE;
    if (stream->state != STREAM_OPEN) {
        stream_linger_on(stream, result);
    } else if (result >= 0) {
        stream->handler->received(stream, data);
    } else {
        stream->handler->failed(stream, result);
    }
}

/* Returns the stream whose receive, of either size, has completed; NULL: it is closing, and wants nothing any more. */
static struct stream *receive_completed(struct ring *ring, uint64_t name, int result) {
    struct stream *stream = stream_completed(ring, name);

    if (result > 0 && stream->direct) {
        ring->accepted_received += (uint64_t)result;
    }
    if (stream->state == STREAM_CLOSING) {
        stream->receiving = false;
        stream_close_when_quiet(stream);
        return NULL;
    }
    return stream;
}

void stream_complete_receive(struct ring *ring, uint64_t name, int result, unsigned flags) {
    struct stream *stream = receive_completed(ring, name, result);

    if (stream == NULL) {
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
    deliver(stream, result, ring->buffers + (size_t)(flags >> IORING_CQE_BUFFER_SHIFT) * RING_RECEIVE_SIZE);
}

/* Has the stream wait until its socket can be read. */
static void submit_readable(struct stream *stream) {
    struct io_uring_sqe *sqe = stream_submission(stream, OPERATION_READABLE);

    io_uring_prep_poll_add(sqe, stream->descriptor, POLLIN);
    stream_mark_descriptor(stream, sqe);
}

void stream_receive_up_to(struct stream *stream, size_t room) {
    if (!may_receive(stream)) {
        return;
    }
    room = room < RING_LARGE_MAX ? room : RING_LARGE_MAX;
    stream->appetite = room < RING_LARGE_UNIT ? RING_LARGE_UNIT : (uint32_t)(room - room % RING_LARGE_UNIT);
    stream->receiving = true;
    if (stream->poll_first) {
        submit_readable(stream);
    } else {
        wait_in(&stream->ring->large, stream);
    }
}

/* Whatever the poll tells, the receive will tell it too. */
void stream_complete_readable(struct ring *ring, uint64_t name, int result, unsigned flags) {
    struct stream *stream = stream_completed(ring, name);

    if (stream->state == STREAM_CLOSING) {
        stream->receiving = false;
        stream_close_when_quiet(stream);
    } else {
        wait_in(&ring->large, stream);
    }
}

void stream_complete_large(struct ring *ring, uint64_t name, int result, unsigned flags) {
    ring->large_in_flight = false;
    struct stream *stream = receive_completed(ring, name, result);
    if (stream == NULL) {
        return;
    }
    stream->poll_first = result < (int)stream->appetite;
    if (result == -EAGAIN || result == -EINTR) {
        submit_readable(stream);
        return;
    }
    stream->receiving = false;
    deliver(stream, result, ring->large_buffer);
}

/*
 * Receives what a stream has an appetite for. The cost of a system call of its own is small beside that of so many bytes,
 * which all pass through the same buffer, one stream after the other.
 */
static void receive_large(struct stream *stream) {
    struct ring *ring = stream->ring;
    struct io_uring_sqe *sqe = stream_submission(stream, OPERATION_RECEIVE_LARGE);

    io_uring_prep_recv(sqe, stream->descriptor, ring->large_buffer, stream->appetite, MSG_DONTWAIT);
    stream_mark_descriptor(stream, sqe);
    ring->large_in_flight = true;
    io_uring_submit(&ring->uring); /* completes it, unless the kernel wants completions taken first */
    ring_complete_ready(ring);
}

/* Receives for those that have waited for it when the call began, as long as the turn allows. */
void stream_receive_large(struct ring *ring) {
    const struct stream *last = ring->large.last;

    for (unsigned i = 0; i < RING_LARGE_RECEIVES && !ring->large_in_flight; i++) {
        struct stream *stream = take_first(&ring->large);

        if (stream == NULL) {
            return;
        }
        bool is_last = stream == last;
        if (stream->state == STREAM_CLOSING) {
            stream_close_when_quiet(stream);
        } else {
            receive_large(stream);
        }
        if (is_last) {
            return;
        }
    }
}

/*
 * A poll reports FIN whether it asks for it or not, and a poll that is not multishot would end with it. A multishot poll
 * goes on, and reports a reset that comes behind FIN.
 */
void stream_watch(struct stream *stream) {
    if (stream->watching || stream->state != STREAM_OPEN) {
        return;
    }
    struct io_uring_sqe *sqe = stream_submission(stream, OPERATION_WATCH);

    io_uring_prep_poll_multishot(sqe, stream->descriptor, POLLERR | POLLHUP);
    stream_mark_descriptor(stream, sqe);
    stream->watching = true;
}

/* `result` has the poll's events, or is negative when the poll could not go on. */
void stream_complete_watch(struct ring *ring, uint64_t name, int result, unsigned flags) {
    struct stream *stream = stream_completed(ring, name);
    bool over = result >= 0 && (result & (POLLERR | POLLHUP)) != 0;

    if ((flags & IORING_CQE_F_MORE) != 0) {
        stream->in_flight++; /* the poll is still armed */
        ring->in_flight++;
    } else {
        stream->watching = false;
    }
    if (stream->state == STREAM_CLOSING) {
        stream_close_when_quiet(stream);
    } else if (over && stream->state == STREAM_OPEN) {
        stream->handler->failed(stream, -ECONNRESET);
    } else if (over) {
        stream_close(stream);
    } else if (!stream->watching && result >= 0) {
        stream_watch(stream);
    }
}

/* Looks at what the socket holds: 1 for bytes, 0 for the peer's end, or a negative errno. */
static int peek(const struct stream *stream) {
    CHECK(!stream->direct);
    char byte;
    ssize_t size = recv(stream->descriptor, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT);
    return size < 0 ? -errno : (int)size;
}

bool stream_is_quiet(const struct stream *stream) {
    return !stream->ended && stream->state == STREAM_OPEN && peek(stream) == -EAGAIN;
}

bool stream_has_input(const struct stream *stream) {
    return !stream->ended && stream->state == STREAM_OPEN && peek(stream) > 0;
}

bool stream_has_ended(const struct stream *stream) {
    return stream->ended || (stream->state == STREAM_OPEN && peek(stream) == 0);
}
