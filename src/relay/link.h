/*
 * The connection beneath a relay's exchanges, as bytes in and bytes out: a stream of the ring. Its functions and events are
 * those of ring/stream.h but for what is said here.
 */
#ifndef RELAY_LINK_H
#define RELAY_LINK_H

#include "config/address.h"
#include "ring/stream.h"

struct relay_link;

/* As struct stream_handler, and called likewise from ring_turn. A handler may call any function on any link. */
struct link_handler {
    /*
     * The connection is made, and nothing has been sent on it: writes to `link->stream` what goes first. False: the ring is
     * out of chunks. NULL: nothing goes first.
     */
    bool (*opened)(struct relay_link *link);
    void (*connected)(struct relay_link *link);
    void (*received)(struct relay_link *link, struct bytes data);
    void (*drained)(struct relay_link *link);
    void (*failed)(struct relay_link *link, int error);
    void (*closed)(struct relay_link *link);
};

/* Part of its owner, which finds itself by it. */
struct relay_link {
    const struct link_handler *handler;
    struct stream *stream; /* NULL before link_connect, and once it is closed */
};

/* Begins to connect. As stream_connect; the link is favoured. 0, or a negative errno and nothing was begun. */
int link_connect(struct relay_link *link, struct ring *ring, const struct config_address *address,
                 const struct link_handler *handler);

static inline void link_receive(struct relay_link *link) {
    stream_receive(link->stream);
}

static inline void link_receive_up_to(struct relay_link *link, size_t room) {
    stream_receive_up_to(link->stream, room);
}

/* Returns whether a delivery is asked for that has not come. */
static inline bool link_is_receiving(const struct relay_link *link) {
    return link->stream->receiving;
}

static inline int link_write(struct relay_link *link, struct bytes data) {
    return stream_write(link->stream, data);
}

static inline size_t link_room(const struct relay_link *link) {
    return stream_room(link->stream);
}

/* Returns whether the kernel has taken all that was written. */
static inline bool link_has_sent_all(const struct relay_link *link) {
    return link->stream->queue.size == 0;
}

/* Returns the place of what is written next, counted in bytes of the stream. */
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

static inline bool link_is_quiet(const struct relay_link *link) {
    return stream_is_quiet(link->stream);
}

static inline void link_end_half(struct relay_link *link) {
    stream_end_half(link->stream);
}

static inline void link_finish(struct relay_link *link) {
    stream_finish(link->stream);
}

static inline void link_finish_briefly(struct relay_link *link) {
    stream_finish_briefly(link->stream);
}

static inline void link_close(struct relay_link *link) {
    stream_close(link->stream);
}

static inline void link_reset(struct relay_link *link) {
    stream_reset(link->stream);
}

#endif
