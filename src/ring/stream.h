/*
 * A connected TCP socket as bytes in and bytes out.
 *
 * Receiving is by credit: each stream_receive() asks for one delivery, so a reader that is not ready simply does not ask
 * and TCP pushes back. Sending is by queue: writes are copied into chunks, everything written in one turn leaves in one
 * send, and the handler is told when the queue has drained. Closing always ends with exactly one closed() call, when
 * nothing is in flight any more; no other handler is called after stream_close() or stream_finish().
 */
#ifndef RING_STREAM_H
#define RING_STREAM_H

#include "ring/ring.h"
#include "ring/send_queue.h"

#include <sys/socket.h>

enum {
    STREAM_QUEUE_MAX = 64 * 1024, /* writers should stop at this many queued bytes */
    STREAM_QUEUE_LOW = 32 * 1024, /* drained() is called when the queue falls to this or below */
    STREAM_FLUSH_MS = 30000,      /* stream_finish: how long the queue may stand still before it has left */
    STREAM_FLUSH_MAX_MS = 300000, /* ... and how long it may take in all: 220 bytes a second, where it is full */
    STREAM_LINGER_MS = 2000,      /* ... and then how long the peer may be silent before its end of stream */
    STREAM_LINGER_MAX_MS = 30000, /* ... and how long it may talk on */
    STREAM_BRIEF_MS = 500,        /* stream_finish_briefly: the same two */
    STREAM_BRIEF_MAX_MS = 2000,
};

/* All are called from ring_turn. Any may call any function on any stream. */
struct stream_handler {
    /* stream_connect has succeeded. Not called for accepted streams. */
    void (*connected)(struct stream *stream);
    /* One delivery for one stream_receive. `data` is valid during the call only; empty: the peer ended its side. */
    void (*received)(struct stream *stream, struct bytes data);
    /* The queue has fallen from above STREAM_QUEUE_LOW to it or below, or has become empty. May be NULL. */
    void (*drained)(struct stream *stream);
    /* The socket is dead (negative errno: -ECONNRESET, -ECONNREFUSED, ...). Only stream_close makes sense now. */
    void (*failed)(struct stream *stream, int error);
    /* Nothing is in flight, the descriptor is closed; `stream` is gone when this returns. */
    void (*closed)(struct stream *stream);
};

enum stream_state {
    STREAM_CONNECTING,
    STREAM_OPEN,
    STREAM_FINISHING, /* the queue leaves, then FIN */
    STREAM_LINGERING, /* FIN is sent, what still comes is discarded */
    STREAM_CLOSING,   /* waits for what is in flight, then closes the descriptor */
};

struct stream {
    const struct stream_handler *handler;
    void *owner; /* the handler's own; the ring never touches it */
    struct ring *ring;
    struct stream *next_unsent;  /* in the ring's list of streams with bytes to send */
    struct stream *next_starved; /* in the ring's list of streams that wait for a receive buffer */
    struct send_queue queue;     /* bytes written and not yet taken by the kernel */
    struct timer linger;
    uint64_t linger_until_ms;
    uint64_t bytes_received; /* since the stream began */
    uint64_t bytes_sent;
    uint32_t sending;    /* bytes of it in the send in flight; 0 when none is */
    uint32_t generation; /* tells this use of the slot from earlier ones */
    int32_t descriptor;  /* a direct descriptor's slot when `direct`, else a file descriptor; -1 none */
    uint8_t in_flight;   /* operations of this stream not completed */
    uint8_t state;       /* enum stream_state */
    bool direct;
    bool receiving;  /* a receive is armed, or wanted while no buffer is free */
    bool starved;    /* on the ring's list of streams that wait for a receive buffer */
    bool listed;     /* on the ring's list of unsent streams */
    bool poll_first; /* the socket was empty after the last receive: wait for it before trying */
    bool ended;      /* the peer has sent FIN */
    bool watching;   /* a poll is armed for the connection's end */
    bool favoured;   /* goes before others where receive buffers are short; the owner's to set, at any time */
    bool resets;     /* closes with a reset */
    bool brief;      /* lingers a moment before that */
};

/*
 * Starts to connect a new socket, TCP_NODELAY set. `address` must stay until the turn's end. NULL with *error (negative
 * errno: -ENOBUFS no stream free, -EMFILE). Success and failure are told by the handler, never before this returns.
 */
struct stream *stream_connect(struct ring *ring, const struct sockaddr *address, socklen_t address_size,
                              const struct stream_handler *handler, void *owner, int *error);

/* Asks for one delivery. Nothing happens when one is asked for already, or after the peer has ended its side. */
void stream_receive(struct stream *stream);

/*
 * After the peer's FIN a receive tells nothing any more: from now on a reset is told by failed(), as it is while a receive
 * is armed. Nothing happens when this was asked for already.
 */
void stream_watch(struct stream *stream);

/*
 * Copies `data` to the queue; it leaves at the end of the turn. 0, or -ENOBUFS when the ring has no chunk left: then
 * the stream is useless and should be closed. Does not enforce STREAM_QUEUE_MAX: ask stream_room() first.
 */
int stream_write(struct stream *stream, struct bytes data);

/*
 * For a stream that stream_connect has made: whether nothing has come, neither bytes nor the peer's end nor an error, as
 * far as no receive has taken it yet. A byte that a receive has taken is told by received() within this turn, before
 * anything written leaves.
 */
bool stream_is_quiet(const struct stream *stream);
/*
 * Likewise: how many bytes of what was sent the peer's kernel has not acknowledged. When the peer's end of stream has come
 * it had none of these, since that end has said how far it was. SIZE_MAX when it cannot be told.
 */
size_t stream_unacknowledged(const struct stream *stream);

/* Rids an accepted socket of the filter that it has from a listener that blocks; from Linux 6.7 on, before it just stays. */
void stream_drop_filter(struct stream *stream);

/* Bytes that a well-behaved writer may still queue: STREAM_QUEUE_MAX less what is queued, or 0. */
static inline size_t stream_room(const struct stream *stream) {
    return stream->queue.size >= STREAM_QUEUE_MAX ? 0 : STREAM_QUEUE_MAX - stream->queue.size;
}

/*
 * Sends what is queued, then FIN, discards what still arrives until the peer's FIN, its silence or a bound on time, then
 * closes: a socket that is closed with bytes unread sends a reset, which can destroy an answer on its way.
 */
void stream_finish(struct stream *stream);
/* Sends what is queued, then resets: for a last word to somebody who deserves no more patience. */
void stream_finish_by_reset(struct stream *stream);
/*
 * As stream_finish with a moment's patience alone, and a reset at the end. The last word is read even by a peer that was
 * still sending: a reset at once would make its own send fail before it reads.
 */
void stream_finish_briefly(struct stream *stream);
/* Drops the queue and closes now. May be called in any state, again too, and after stream_finish to hurry it. */
void stream_close(struct stream *stream);
/*
 * As stream_close, but with a reset: the peer is told at once, and nothing of the connection is left, no TIME_WAIT and no
 * FIN that is sent again and again (RFC 9293 section 3.10.5).
 */
void stream_reset(struct stream *stream);

#endif
