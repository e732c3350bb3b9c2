/*
 * One io_uring for one pinned thread: its submission and completion loop, the provided receive buffers, the chunks that
 * hold what is still to be sent, and the timer wheel that sets how long the loop may sleep. Nothing here is shared
 * between threads; other threads reach a ring only through a mailbox (mailbox.h).
 *
 * Needs Linux 6.1: buffer rings, direct descriptors, DEFER_TASKRUN.
 */
#ifndef RING_RING_H
#define RING_RING_H

#include "base/bytes.h"
#include "base/slab.h"
#include "base/timer.h"

#include <liburing.h>

enum {
    RING_RECEIVE_SIZE = 16 * 1024 + 512, /* one receive buffer: a full TLS record with its overhead */
    RING_CHUNK_SIZE = 16 * 1024 + 1024,  /* one send chunk, header included: a full TLS record and some */
    RING_ERROR_SIZE = 256,
};

struct ring_options {
    uint32_t accepted;        /* accepted sockets at most, 16 to 2^20: direct descriptors */
    uint32_t streams;         /* all sockets at most, listeners not counted: accepted, connected, and 16 for each listener */
    uint32_t receive_buffers; /* provided buffers, a power of two, 16 to 32768 */
    uint32_t chunks;          /* send chunks at most, for all streams together */
    uint32_t submissions;     /* operations that go to the kernel in one call at most, a power of two; 0: 2048 */
};

struct stream;

/* In the order in which they came. */
struct ring_waiting {
    struct stream *first;
    struct stream *last;
};

struct ring {
    struct io_uring uring;
    struct io_uring_buf_ring *buffer_ring;
    uint8_t *buffers; /* receive_buffers x RING_RECEIVE_SIZE */
    struct ring_options options;
    struct slab streams;
    struct slab chunks;
    struct timer_wheel timers;
    uint64_t now_ns;                /* monotonic, read once a turn */
    struct stream *unsent;          /* streams with queued bytes and no send in flight; served at the end of the turn */
    struct ring_waiting starved[2]; /* streams whose receive waits for a buffer; in the second those that are favoured */
    struct listener *paused;        /* listeners that wait for a free stream */
    uint32_t in_flight;             /* operations submitted and not completed */
    uint64_t accepted_received;     /* bytes, of all accepted sockets together, also those that nobody waited for any more */
    uint64_t accepted_sent;         /* likewise: that the kernel took */
    uint32_t generation;            /* given to the next stream, so that a late completion is known to be late */
};

/*
 * Makes the ring in the thread that will use it. 0, or a negative errno with one line in `error` that names the limit at
 * fault and what to change (RLIMIT_NOFILE, RLIMIT_MEMLOCK, kernel version, io_uring disabled).
 */
int ring_create(struct ring *ring, const struct ring_options *options, char error[static RING_ERROR_SIZE]);
/* Every stream and listener must be closed and `in_flight` be 0. */
void ring_destroy(struct ring *ring);

/*
 * One turn: submits what was prepared, sleeps until a completion or a timer is due (at most `wait_ms_max`), runs the
 * handlers of all completions, then the timers. 0, or a negative errno when the ring itself is broken.
 */
int ring_turn(struct ring *ring, uint64_t wait_ms_max);

static inline uint64_t ring_now_ms(const struct ring *ring) {
    return ring->now_ns / 1000000;
}

#endif
