/*
 * The content of a ring, for the modules of ring/ that work on it. Other folders create a ring and let it turn: see ring.h.
 */
#ifndef RING_STATE_H
#define RING_STATE_H

#include "base/slab.h"
#include "base/timer.h"

#include <liburing.h>
#include <stdbool.h>

enum {
    RING_RECEIVE_SIZE = 16 * 1024 + 512, /* one receive buffer: a full TLS record with its overhead */
    RING_LARGE_UNIT = 16 * 1024, /* large receives have multiples of it, which fill TLS records: see stream_receive_up_to */
    RING_LARGE_MAX = 4 * RING_LARGE_UNIT,
    RING_LARGE_RECEIVES = 32, /* in one turn at most, so that the turn does not get long */
};

/* Advice for an error text about too few file descriptors. */
#define RING_DESCRIPTORS_ADVICE "(ulimit -n, or LimitNOFILE= in the systemd unit)"

struct ring_options {
    uint32_t accepted;        /* accepted sockets at most, 16 for each listener counted, 16 to 2^20: direct descriptors */
    uint32_t streams;         /* all sockets at most, listeners not counted: accepted, connected, and 16 for each listener */
    uint32_t receive_buffers; /* provided buffers, a power of two, 16 to 32768 */
    uint32_t chunks;          /* send chunks at most, for all streams together */
    uint32_t submissions;     /* operations that go to the kernel in one call at most, a power of two; 0: 2048 */
};

struct stream;

/* Streams in the order in which they began to wait. A stream is in one list at most. */
struct ring_waiting {
    struct stream *first;
    struct stream *last;
};

/* Work that is put off: see ring_defer. Zeroed, with `run` set, before its first use. */
struct ring_task {
    struct list link; /* among the ring's, while it is put off */
    void (*run)(struct ring_task *task);
};

struct ring {
    struct io_uring uring;
    struct io_uring_buf_ring *buffer_ring;
    uint8_t *buffers;      /* receive_buffers x RING_RECEIVE_SIZE */
    uint8_t *large_buffer; /* RING_LARGE_MAX: the one of large receives, which therefore stays in the core's cache */
    struct ring_options options;
    struct slab streams;
    struct slab chunks;
    struct timer_wheel timers;
    struct list tasks;              /* that are put off, in order */
    uint64_t now_ns;                /* monotonic, read once a turn */
    struct stream *unsent;          /* streams with queued bytes and no send in flight; served at the end of the turn */
    struct ring_waiting starved[2]; /* streams whose receive waits for a buffer; favoured ones in the second list */
    struct ring_waiting large;      /* streams whose receive is to be a large one, at the end of the turn */
    bool large_in_flight;           /* a large receive, which has the buffer */
    struct listener *paused;        /* listeners that wait for a stream or a direct descriptor */
    bool stream_freed;              /* in this turn: paused listeners may go on */
    uint32_t in_flight;             /* operations submitted and not completed */
    uint32_t accepted;              /* streams of accepted sockets, and those that accepts in flight hold for them */
    uint64_t accepted_received; /* bytes that all accepted sockets received, also those that no handler wanted any more */
    uint64_t accepted_sent;     /* bytes of all accepted sockets that the kernel took */
    uint32_t generation;        /* given to the next stream, so that a late completion is known to be late */
};

static inline uint64_t ring_now_ms(const struct ring *ring) {
    return ring->now_ns / 1000000;
}

#endif
