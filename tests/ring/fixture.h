/* The tests of streams share a ring and a blocking peer in one thread. Each step of the peer is followed by turns. */
#ifndef TESTS_RING_FIXTURE_H
#define TESTS_RING_FIXTURE_H

#include "base/check.h"
#include "ring/listener.h"
#include "ring/ring.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct fixture {
    struct ring ring;
    struct listener listener;
    uint16_t port;
    struct stream *stream;
    unsigned accepted;
    unsigned connected;
    unsigned received;
    unsigned drained;
    unsigned closed;
    int error;
    bool ended;
    bool echo;
    bool hold;    /* do not ask for more */
    bool favours; /* those that are accepted */
    size_t bytes;
};

static inline void on_connected(struct stream *stream) {
    ((struct fixture *)stream->owner)->connected++;
}

static inline void on_received(struct stream *stream, struct bytes data) {
    struct fixture *f = stream->owner;

    f->received++;
    f->bytes += data.size;
    if (data.size == 0) {
        f->ended = true;
        return;
    }
    if (f->echo) {
        cr_assert_eq(stream_write(stream, data), 0);
    }
    if (!f->hold) {
        stream_receive(stream);
    }
}

static inline void on_drained(struct stream *stream) {
    ((struct fixture *)stream->owner)->drained++;
}
static inline void on_failed(struct stream *stream, int error) {
    ((struct fixture *)stream->owner)->error = error;
}
static inline void on_closed(struct stream *stream) {
    ((struct fixture *)stream->owner)->closed++;
}

static const struct stream_handler handler = {on_connected, on_received, on_drained, on_failed, on_closed};

static inline void on_accept(struct listener *listener, struct stream *stream, const struct sockaddr *peer) {
    struct fixture *f = listener->owner;

    cr_assert_eq(((const struct sockaddr_in *)peer)->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    f->accepted++;
    f->stream = stream;
    stream->handler = &handler;
    stream->owner = f;
    stream->favoured = f->favours;
    stream_receive(stream);
}

static inline struct fixture *start_with(const struct ring_options *options) {
    struct fixture *f = calloc(1, sizeof *f);
    struct error error;
    struct sockaddr_in address;
    socklen_t size = sizeof address;

    cr_assert_eq(ring_create(&f->ring, options, &error), 0, "%s", error.text);
    int descriptor = listener_bind("127.0.0.1:0", &error);
    cr_assert_geq(descriptor, 0, "%s", error.text);
    cr_assert_eq(getsockname(descriptor, (struct sockaddr *)&address, &size), 0);
    f->port = ntohs(address.sin_port);
    listener_start(&f->listener, &f->ring, descriptor, on_accept, f);
    return f;
}

static inline struct fixture *start(uint32_t streams, uint32_t buffers, uint32_t chunks) {
    return start_with(
        &(struct ring_options){.accepted = streams, .streams = streams, .receive_buffers = buffers, .chunks = chunks});
}

static inline void turns(struct fixture *f, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        cr_assert_eq(ring_turn(&f->ring, 10), 0);
    }
}

static inline void turn_until(struct fixture *f, const unsigned *counter, unsigned value) {
    for (unsigned i = 0; i < 600 && *counter < value; i++) {
        turns(f, 1);
    }
    cr_assert_geq(*counter, value);
}

static inline void finish(struct fixture *f) {
    listener_stop(&f->listener);
    for (unsigned i = 0; i < 500 && (f->ring.in_flight > 0 || !listener_is_stopped(&f->listener)); i++) {
        turns(f, 1);
    }
    ring_destroy(&f->ring);
    free(f);
}

static inline int dial(struct fixture *f) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(f->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int peer = socket(AF_INET, SOCK_STREAM, 0);

    cr_assert_eq(connect(peer, (struct sockaddr *)&address, sizeof address), 0);
    return peer;
}

#endif
