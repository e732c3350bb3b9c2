/*
 * A connected TCP socket, or towards a server also a Unix one, as bytes in and bytes out.
 *
 * Receiving is by credit: each stream_receive() asks for one delivery, so a reader that is not ready simply does not ask
 * and TCP pushes back. Sending is by queue: writes are copied into chunks, everything written in one turn leaves in one
 * send, and the handler is told when the queue has drained. Closing always ends with exactly one closed() call, when
 * nothing is in flight any more; no other handler is called after stream_close() or stream_finish().
 */
#ifndef RING_STREAM_H
#define RING_STREAM_H

#include "base/bytes.h"
#include "ring/send_queue.h"
#include "ring/state.h"

#include <sys/socket.h>

enum {
    STREAM_QUEUE_MAX = 64 * 1024, /* writers should stop at this many queued bytes */
    STREAM_QUEUE_LOW = 32 * 1024, /* drained() is called when the queue falls to this or below */
    STREAM_FLUSH_MS = 30000,      /* stream_finish: how long none of the queue may leave before the stream is closed */
    STREAM_FLUSH_MAX_MS = 300000, /* ... and how long the queue may take in all: 220 bytes a second for a full one */
    STREAM_LINGER_MS = 2000,      /* ... and then how long the peer may be silent before its end of stream */
    STREAM_LINGER_MAX_MS = 30000, /* ... and how long the peer may go on sending */
    STREAM_BRIEF_MS = 500,        /* stream_finish_briefly: silence of the peer, and time in all */
    STREAM_BRIEF_MAX_MS = 2000,
    STREAM_AGAIN_MIN_MS = 5, /* until a connection to a Unix socket with a full backlog is tried again; doubled each time */
    STREAM_AGAIN_MAX_MS = 160,
};

/* All are called from ring_turn. A handler may call any function on any stream. */
struct stream_handler {
    /* stream_connect has succeeded. Not called for accepted streams. */
    void (*connected)(struct stream *stream);
    /* One delivery for one stream_receive. `data` is valid during the call only; empty: the peer ended its side. */
    void (*received)(struct stream *stream, struct bytes data);
    /* The queue has fallen from above STREAM_QUEUE_LOW to it or below, or has become empty. May be NULL. */
    void (*drained)(struct stream *stream);
    /*
     * The socket is dead (negative errno: -ECONNRESET, -ECONNREFUSED, ...). If it was a send that has failed
     * (`send_failed`), a receive that is asked for brings what came before, and then the end, which need not be called a
     * reset again. Else only stream_close makes sense now.
     */
    void (*failed)(struct stream *stream, int error);
    /* Nothing is in flight, the descriptor is closed; `stream` is gone when this returns. */
    void (*closed)(struct stream *stream);
};

enum stream_state {
    STREAM_CONNECTING,
    STREAM_OPEN,
    STREAM_FINISHING, /* the queue leaves, then FIN */
    STREAM_LINGERING, /* FIN is sent, bytes that still come are dropped */
    STREAM_CLOSING,   /* waits for operations in flight, then closes the descriptor */
};

struct stream {
    const struct stream_handler *handler;
    void *owner; /* the handler's own; the ring never touches it */
    struct ring *ring;
    struct stream *next_unsent;  /* in the ring's list of streams with bytes to send */
    struct stream *next_waiting; /* in one of the ring's lists of streams that wait to receive */
    struct send_queue queue;     /* bytes written and not yet taken by the kernel */
    struct timer linger;         /* before it is connected: until it is tried again */
    uint64_t linger_until_ms;
    const struct sockaddr *address; /* of a Unix socket, until it is connected; else NULL */
    socklen_t address_size;
    uint64_t bytes_received; /* since the stream began */
    uint64_t bytes_sent;
    uint32_t sending;    /* bytes of the queue in the send in flight; 0 when none is */
    uint32_t appetite;   /* bytes that the large receive which is asked for may bring; 0: none is */
    uint32_t generation; /* tells this use of the slot from earlier ones */
    int32_t descriptor;  /* a direct descriptor's slot when `direct`, else a file descriptor; -1 none */
    uint8_t in_flight;   /* operations of this stream not completed */
    uint8_t state;       /* enum stream_state */
    bool direct;
    bool local;       /* a Unix socket: it knows neither reset nor acknowledgement */
    uint8_t again;    /* how often it was tried to connect again */
    bool receiving;   /* a receive is armed, or waits in one of the ring's lists */
    bool waiting;     /* in one of the ring's lists of streams that wait to receive */
    bool listed;      /* on the ring's list of unsent streams */
    bool poll_first;  /* the socket was empty after the last receive: wait for it before trying */
    bool flows;       /* the last delivery was as large as a buffer, or larger: more waits, perhaps */
    bool ended;       /* the peer has sent FIN */
    bool watching;    /* a poll is armed for the connection's end */
    bool favoured;    /* gets receive buffers before others where they are short; the owner may set it at any time */
    bool resets;      /* closes with a reset */
    bool brief;       /* lingers a moment before the reset */
    bool half_ends;   /* sends FIN when its queue is empty, and goes on receiving */
    bool send_failed; /* see failed() */
};

/*
 * Starts to connect a new socket, of TCP with TCP_NODELAY. `address` must stay until the turn's end, and that of a Unix
 * socket until the handler is told or the stream is closed. NULL with *error (negative errno: -ENOBUFS no stream free,
 * -EMFILE). The handler is told of success or failure, never before this returns. While a Unix socket's backlog is full, it
 * is told of nothing, as it is not by TCP: the caller has a deadline of its own.
 */
struct stream *stream_connect(struct ring *ring, const struct sockaddr *address, socklen_t address_size,
                              const struct stream_handler *handler, void *owner, int *error);

/* Asks for one delivery. Does nothing when one is asked for already, or after the peer has ended its side. */
void stream_receive(struct stream *stream);
/*
 * As stream_receive, for a reader that has room for `room` bytes. The delivery is large: as many times 16 KiB as fit into
 * the room, one at least and four at most, as far as the socket holds them. It comes at the end of a turn, once a turn for
 * each stream, and what its reader writes leaves with what the turn has written.
 */
void stream_receive_up_to(struct stream *stream, size_t room);

/*
 * Has failed() called for a reset from now on, as it is while a receive is armed: after the peer's FIN a receive reports
 * nothing any more. Does nothing when this was asked for already.
 */
void stream_watch(struct stream *stream);

/*
 * Copies `data` to the queue, which is sent at the end of the turn. 0, or -ENOBUFS when the ring has no chunk left: then
 * the stream is useless and should be closed. Does not enforce STREAM_QUEUE_MAX: ask stream_room() first. Does nothing once
 * a send has failed.
 */
int stream_write(struct stream *stream, struct bytes data);

/*
 * Returns whether the socket of a stream that stream_connect has made holds nothing: no bytes, no end of the peer and no
 * error that no receive has taken yet. Bytes that a receive has taken are handed to received() within this turn, before
 * anything written leaves.
 */
bool stream_is_quiet(const struct stream *stream);
/* Return, likewise, whether the socket holds bytes that no receive has taken, and whether it holds the peer's end alone. */
bool stream_has_input(const struct stream *stream);
bool stream_has_ended(const struct stream *stream);
/*
 * Returns, for a stream that stream_connect has made, how many of the bytes sent the peer's kernel has not acknowledged.
 * Once the peer's end of stream has come the peer has none of these bytes, since its FIN acknowledged all that it had.
 * SIZE_MAX when the kernel does not say, as of Unix sockets, or a send is in flight.
 */
size_t stream_unacknowledged(const struct stream *stream);

/*
 * Removes from an accepted socket the filter that it has inherited from a listener that drops SYNs. Needs Linux 6.7: on
 * older kernels the filter stays.
 */
void stream_drop_filter(struct stream *stream);

/* Returns how many bytes a well-behaved writer may still queue: STREAM_QUEUE_MAX less what is queued, or 0. */
static inline size_t stream_room(const struct stream *stream) {
    return stream->queue.size >= STREAM_QUEUE_MAX ? 0 : STREAM_QUEUE_MAX - stream->queue.size;
}

/*
 * Ends one half of an open stream: sends what is queued, then FIN, and goes on receiving. Nothing may be written any more.
 * Does nothing when this was asked for already.
 */
void stream_end_half(struct stream *stream);
/*
 * Sends what is queued, then FIN, discards what still arrives until the peer's FIN, its silence or a bound on time, then
 * closes: a socket that is closed with bytes unread sends a reset, which can destroy an answer on its way.
 */
void stream_finish(struct stream *stream);
/* Sends what is queued, then resets: for a last alert or answer to a peer that is given no more time. */
void stream_finish_by_reset(struct stream *stream);
/*
 * As stream_finish, but with the short times STREAM_BRIEF_MS, and a reset at the end. A peer that was still sending reads
 * the last bytes all the same: a reset at once would make its own send fail before it reads.
 */
void stream_finish_briefly(struct stream *stream);
/* Drops the queue and closes now. May be called in any state, more than once, and after stream_finish to hurry the end. */
void stream_close(struct stream *stream);
/*
 * As stream_close, but with a reset: the peer learns of the end at once, and the kernel keeps nothing of the connection, no
 * TIME_WAIT and no FIN to send again and again (RFC 9293 section 3.10.5). A Unix socket is closed as by stream_close.
 */
void stream_reset(struct stream *stream);

#endif
