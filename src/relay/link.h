/*
 * The connection beneath a relay's exchanges, as bytes in and bytes out: a stream of the ring, in the clear or with TLS on
 * it. Its functions and events are those of ring/stream.h but for what is said here.
 */
#ifndef RELAY_LINK_H
#define RELAY_LINK_H

#include "config/address.h"
#include "relay/tls_stream.h"

struct relay_link;

/* As struct stream_handler, and called likewise from ring_turn. A handler may call any function on any link. */
struct link_handler {
    /*
     * The connection is made, and nothing has been sent on it: writes to `link->stream` what goes first, before any TLS.
     * False: the ring is out of chunks. NULL: nothing goes first.
     */
    bool (*opened)(struct relay_link *link);
    /* The connection is made and, with TLS, its handshake complete. */
    void (*connected)(struct relay_link *link);
    void (*received)(struct relay_link *link, struct bytes data);
    void (*drained)(struct relay_link *link);
    void (*failed)(struct relay_link *link, int error);
    void (*closed)(struct relay_link *link);
};

/* Part of its owner, which finds itself by it. */
struct relay_link {
    const struct link_handler *handler;
    struct stream *stream;  /* NULL before link_connect, and once it is closed */
    struct tls_stream *tls; /* NULL: in the clear */
};

/* Where a link goes. */
struct link_target {
    struct ring *ring;
    const struct config_address *address;
    struct tls_origin *tls;    /* NULL: in the clear */
    struct tls_memory *memory; /* with TLS */
};

/* Begins to connect. As stream_connect; the link is favoured. 0, or a negative errno and nothing was begun. */
int link_connect(struct relay_link *link, const struct link_target *target, const struct link_handler *handler);

static inline void link_receive(struct relay_link *link) {
    if (link->tls != NULL) {
        tls_stream_receive(link->tls, 0);
    } else {
        stream_receive(link->stream);
    }
}

/* With TLS a delivery has 16 KiB at most. */
static inline void link_receive_up_to(struct relay_link *link, size_t room) {
    if (link->tls != NULL) {
        tls_stream_receive(link->tls, room);
    } else {
        stream_receive_up_to(link->stream, room);
    }
}

/* Returns whether the origin sends as fast as it is read, or may: then fewer, larger receives bring it. */
static inline bool link_flows(const struct relay_link *link) {
    return link->stream->flows;
}

/* Returns whether a delivery is asked for that has not come. */
static inline bool link_is_receiving(const struct relay_link *link) {
    return link->tls != NULL ? tls_stream_is_receiving(link->tls) : link->stream->receiving;
}

static inline int link_write(struct relay_link *link, struct bytes data) {
    return link->tls != NULL ? tls_stream_write(link->tls, data) : stream_write(link->stream, data);
}

/* Returns how many bytes were written that are in no queue of the stream yet. */
static inline size_t link_gathered(const struct relay_link *link) {
    return link->tls != NULL ? tls_stream_gathered(link->tls) : 0;
}

static inline size_t link_room(const struct relay_link *link) {
    size_t room = stream_room(link->stream);
    size_t gathered = link_gathered(link);

    return gathered < room ? room - gathered : 0;
}

/* Returns whether the kernel has taken all that was written. */
static inline bool link_has_sent_all(const struct relay_link *link) {
    return link->stream->queue.size == 0 && link_gathered(link) == 0;
}

/* Returns whether a send has failed: nothing leaves any more, and what the peer has said before is still to be read. */
static inline bool link_send_failed(const struct relay_link *link) {
    return link->stream->send_failed;
}

/*
 * Returns the place of what is written next, counted in bytes of the stream. With TLS it may lie before the true one, by
 * what was written in this turn: then more counts as sent than is.
 */
static inline uint64_t link_place(const struct relay_link *link) {
    return link->stream->bytes_sent + link->stream->queue.size;
}

/* Returns whether the kernel has taken nothing of what was written at `place` and behind. */
static inline bool link_is_unsent(const struct relay_link *link, uint64_t place) {
    return link->stream->sending == 0 && link->stream->bytes_sent <= place;
}

/*
 * Returns whether the peer surely has nothing of what was written at `place` and behind, once its end of stream has come
 * (stream_unacknowledged).
 */
bool link_is_untouched(const struct relay_link *link, uint64_t place);

enum link_state {
    LINK_QUIET,  /* nothing has come that was not delivered: see stream_is_quiet */
    LINK_SPEAKS, /* with TLS: bytes have come that may be TLS's own, as a ticket is: a turn later it will be known */
    LINK_SPOILT, /* something has come, or the end has */
};
enum link_state link_state(const struct relay_link *link);

/* Returns whether nothing has come behind what was delivered. In the clear a delivery is all that has come. */
static inline bool link_is_clean(const struct relay_link *link) {
    return link->tls == NULL || tls_stream_is_clean(link->tls);
}

/*
 * Returns whether the peer's end has come without TLS's own, so that a third party may have cut off what the peer was saying
 * (RFC 8446 section 6.1).
 */
static inline bool link_is_cut(const struct relay_link *link) {
    return link->tls != NULL && tls_stream_is_cut(link->tls);
}

/* Returns why the link has failed with `error`. */
struct relay_failure link_failure(const struct relay_link *link, int error);
/*
 * The owner has waited for connected() for `timeout_ms`, and waits no longer. Returns why, -ETIMEDOUT and with TLS its fault
 * if the handshake was under way, which counts as failed. The link is the owner's to close.
 */
struct relay_failure link_time_out(struct relay_link *link, uint32_t timeout_ms);
/* Returns whether the connection is made, though TLS's handshake may be under way. */
static inline bool link_is_made(const struct relay_link *link) {
    return link->stream->state == STREAM_OPEN;
}

/* With TLS each of these sends close_notify before FIN. */
void link_end_half(struct relay_link *link);
void link_finish(struct relay_link *link);
void link_finish_briefly(struct relay_link *link);
/* Closes a link on which nothing is under way: with TLS by link_finish_briefly, so that the peer knows it for an end. */
void link_part(struct relay_link *link);
/* Closes a link at once, but for a fatal alert that has not left: its peer is to know what it has done wrong. */
void link_close(struct relay_link *link);
void link_reset(struct relay_link *link);

#endif
