#include "base/check.h"
#include "ring/listener.h"
#include "ring/stream.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The ring and a blocking peer in one thread: each step of the peer is followed by turns of the ring. */
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

static void on_connected(struct stream *stream) {
    ((struct fixture *)stream->owner)->connected++;
}

static void on_received(struct stream *stream, struct bytes data) {
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

static void on_drained(struct stream *stream) {
    ((struct fixture *)stream->owner)->drained++;
}
static void on_failed(struct stream *stream, int error) {
    ((struct fixture *)stream->owner)->error = error;
}
static void on_closed(struct stream *stream) {
    ((struct fixture *)stream->owner)->closed++;
}

static const struct stream_handler handler = {on_connected, on_received, on_drained, on_failed, on_closed};

static void on_accept(struct listener *listener, struct stream *stream, const struct sockaddr *peer) {
    struct fixture *f = listener->owner;

    cr_assert_eq(((const struct sockaddr_in *)peer)->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    f->accepted++;
    f->stream = stream;
    stream->handler = &handler;
    stream->owner = f;
    stream->favoured = f->favours;
    stream_receive(stream);
}

static struct fixture *start(uint32_t streams, uint32_t buffers, uint32_t chunks) {
    struct fixture *f = calloc(1, sizeof *f);
    struct ring_options options = {.accepted = streams, .streams = streams, .receive_buffers = buffers, .chunks = chunks};
    char error[RING_ERROR_SIZE];
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    int descriptor;

    cr_assert_eq(ring_create(&f->ring, &options, error), 0, "%s", error);
    descriptor = listener_bind("127.0.0.1:0", error);
    cr_assert_geq(descriptor, 0, "%s", error);
    cr_assert_eq(getsockname(descriptor, (struct sockaddr *)&address, &size), 0);
    f->port = ntohs(address.sin_port);
    listener_start(&f->listener, &f->ring, descriptor, on_accept, f);
    return f;
}

static void turns(struct fixture *f, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        cr_assert_eq(ring_turn(&f->ring, 10), 0);
    }
}

static void turn_until(struct fixture *f, const unsigned *counter, unsigned value) {
    for (unsigned i = 0; i < 600 && *counter < value; i++) {
        turns(f, 1);
    }
    cr_assert_geq(*counter, value);
}

static void finish(struct fixture *f) {
    listener_stop(&f->listener);
    for (unsigned i = 0; i < 500 && (f->ring.in_flight > 0 || !listener_is_stopped(&f->listener)); i++) {
        turns(f, 1);
    }
    ring_destroy(&f->ring);
    free(f);
}

static int dial(struct fixture *f) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(f->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int peer = socket(AF_INET, SOCK_STREAM, 0);

    cr_assert_eq(connect(peer, (struct sockaddr *)&address, sizeof address), 0);
    return peer;
}

Test(stream, echoes_and_closes) {
    struct fixture *f = start(64, 16, 64);
    int peer = dial(f);
    char text[16] = {0};

    f->echo = true;
    turn_until(f, &f->accepted, 1);
    cr_assert_eq(write(peer, "hello", 5), 5);
    turn_until(f, &f->drained, 1);
    cr_assert_eq(read(peer, text, sizeof text), 5);
    cr_assert_str_eq(text, "hello");
    close(peer);
    for (unsigned i = 0; i < 100 && !f->ended; i++) {
        turns(f, 1);
    }
    cr_assert(f->ended);
    stream_close(f->stream);
    turn_until(f, &f->closed, 1);
    finish(f);
}

Test(stream, bytes_of_accepted_sockets_are_counted_and_of_connected_ones_not) {
    struct fixture *f = start(64, 16, 64);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(f->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int error;

    f->echo = true;
    struct fixture client = {.hold = true};
    struct stream *stream = stream_connect(&f->ring, (struct sockaddr *)&address, sizeof address, &handler, &client, &error);
    cr_assert_not_null(stream);
    turn_until(f, &client.connected, 1);
    turn_until(f, &f->accepted, 1);
    stream_receive(stream);
    cr_assert_eq(stream_write(stream, bytes_of("hello", 5)), 0);
    turn_until(f, &client.received, 1);
    turn_until(f, &f->drained, 1);
    cr_assert_eq(client.bytes, 5);
    cr_assert_eq(f->ring.accepted_received, 5);
    cr_assert_eq(f->ring.accepted_sent, 5);
    stream_finish(f->stream); /* what comes now is read by nobody, and was received all the same */
    turns(f, 2);
    cr_assert_eq(stream_write(stream, bytes_of("too late", 8)), 0);
    for (unsigned i = 0; i < 100 && f->ring.accepted_received < 13; i++) {
        turns(f, 1);
    }
    cr_assert_eq(f->ring.accepted_received, 13);
    cr_assert_eq(f->ring.accepted_sent, 5);
    stream_close(stream);
    stream_close(f->stream);
    turn_until(f, &client.closed, 1);
    turn_until(f, &f->closed, 1);
    finish(f);
}

Test(stream, many_streams_at_once_share_few_buffers) {
    struct fixture *f = start(256, 16, 256);
    int peers[100];

    f->echo = true;
    for (size_t i = 0; i < ARRAY_LENGTH(peers); i++) {
        peers[i] = dial(f);
    }
    turn_until(f, &f->accepted, ARRAY_LENGTH(peers));
    for (size_t i = 0; i < ARRAY_LENGTH(peers); i++) {
        cr_assert_eq(write(peers[i], &i, sizeof i), sizeof i);
    }
    turn_until(f, &f->drained, ARRAY_LENGTH(peers));
    for (size_t i = 0; i < ARRAY_LENGTH(peers); i++) {
        size_t got = 0;

        cr_assert_eq(read(peers[i], &got, sizeof got), sizeof got);
        cr_assert_eq(got, i);
        close(peers[i]);
    }
    turn_until(f, &f->received, 2 * ARRAY_LENGTH(peers));
    for (uint32_t i = 0; i < f->ring.streams.touched; i++) {
        struct stream *stream = slab_at(&f->ring.streams, i);

        if (stream->owner == f) {
            stream_close(stream);
        }
    }
    turn_until(f, &f->closed, ARRAY_LENGTH(peers));
    finish(f);
}

Test(stream, a_large_write_arrives_whole_and_in_order) {
    struct fixture *f = start(64, 16, 64);
    int peer = dial(f);
    static uint8_t data[300000];
    static uint8_t got[sizeof data];
    size_t have = 0;

    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 2654435761u >> 13);
    }
    turn_until(f, &f->accepted, 1);
    cr_assert_eq(stream_write(f->stream, bytes_of(data, sizeof data)), 0);
    cr_assert_eq(f->stream->queue.size, sizeof data);
    cr_assert_eq(stream_room(f->stream), 0);
    stream_finish(f->stream);
    for (unsigned i = 0; i < 5000 && have < sizeof data; i++) {
        ssize_t size;

        turns(f, 1);
        size = recv(peer, got + have, sizeof got - have, MSG_DONTWAIT);
        have += size > 0 ? (size_t)size : 0;
    }
    cr_assert_eq(have, sizeof data);
    cr_assert_arr_eq(got, data, sizeof data);
    turns(f, 5);
    cr_assert_eq(read(peer, got, 1), 0, "FIN follows the data");
    close(peer);
    turn_until(f, &f->closed, 1);
    finish(f);
}

/* The peer has half-closed, and then goes: what a receive cannot tell any more, the watch does. */
Test(stream, a_reset_behind_fin_is_told_to_a_watcher) {
    struct fixture *f = start(64, 16, 64);
    int peer = dial(f);
    struct linger hard = {.l_onoff = 1};

    turn_until(f, &f->accepted, 1);
    cr_assert_eq(shutdown(peer, SHUT_WR), 0);
    for (unsigned i = 0; i < 100 && !f->ended; i++) {
        turns(f, 1);
    }
    cr_assert(f->ended);
    stream_watch(f->stream);
    stream_watch(f->stream);
    turns(f, 20);
    cr_assert_eq(f->error, 0, "half-closed is not gone");
    cr_assert_eq(stream_write(f->stream, bytes_of("hello", 5)), 0);
    turns(f, 20);
    cr_assert_eq(f->error, 0);
    cr_assert_eq(setsockopt(peer, SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
    close(peer);
    for (unsigned i = 0; i < 100 && f->error == 0; i++) {
        turns(f, 1);
    }
    cr_assert_eq(f->error, -ECONNRESET);
    stream_close(f->stream);
    turn_until(f, &f->closed, 1);
    finish(f);
}

Test(stream, a_watched_stream_ends_in_every_way) {
    static void (*const ends[])(struct stream *) = {stream_close, stream_reset, stream_finish, stream_finish_by_reset};

    for (size_t i = 0; i < ARRAY_LENGTH(ends); i++) {
        struct fixture *f = start(64, 16, 64);
        int peer = dial(f);

        turn_until(f, &f->accepted, 1);
        cr_assert_eq(shutdown(peer, SHUT_WR), 0);
        for (unsigned turn = 0; turn < 100 && !f->ended; turn++) {
            turns(f, 1);
        }
        stream_watch(f->stream);
        turns(f, 3);
        ends[i](f->stream);
        turn_until(f, &f->closed, 1);
        cr_assert_eq(f->error, 0);
        close(peer);
        finish(f);
    }
}

Test(stream, finish_lingers_until_the_peer_is_done) {
    struct fixture *f = start(64, 16, 64);
    int peer = dial(f);
    char text[8] = {0};

    turn_until(f, &f->accepted, 1);
    cr_assert_eq(stream_write(f->stream, bytes_of("bye", 3)), 0);
    stream_finish(f->stream);
    cr_assert_eq(write(peer, "still talking", 13), 13);
    turns(f, 20);
    cr_assert_eq(read(peer, text, sizeof text), 3, "no reset has destroyed the answer");
    cr_assert_eq(read(peer, text, sizeof text), 0);
    cr_assert_eq(f->closed, 0);
    cr_assert_eq(f->received, 0, "no handler after stream_finish");
    close(peer);
    turn_until(f, &f->closed, 1);
    finish(f);
}

/* The peer is still sending when the last word comes, and reads it; but not for long. */
Test(stream, finish_briefly_lets_the_last_word_be_read) {
    struct fixture *f = start(64, 16, 64);
    int peer = dial(f);
    char text[8] = {0};

    turn_until(f, &f->accepted, 1);
    cr_assert_eq(stream_write(f->stream, bytes_of("bye", 3)), 0);
    stream_finish_briefly(f->stream);
    for (int i = 0; i < 5; i++) {
        cr_assert_eq(write(peer, "still talking", 13), 13);
        turns(f, 2);
    }
    cr_assert_eq(read(peer, text, sizeof text), 3, "no reset has destroyed it");
    cr_assert_eq(read(peer, text, sizeof text), 0);
    cr_assert_eq(f->closed, 0);
    uint64_t began_ms = ring_now_ms(&f->ring);
    while (f->closed == 0 && ring_now_ms(&f->ring) - began_ms < 2 * STREAM_BRIEF_MAX_MS) {
        turns(f, 1);
        (void)!send(peer, "and on", 6, MSG_NOSIGNAL);
        usleep(1000);
    }
    cr_assert_eq(f->closed, 1);
    cr_assert_leq(ring_now_ms(&f->ring) - began_ms, STREAM_BRIEF_MAX_MS + 1000);
    cr_assert_eq(send(peer, "x", 1, MSG_NOSIGNAL), -1, "a reset was the end");
    close(peer);
    finish(f);
}

Test(stream, finish_by_reset_waits_for_nobody) {
    struct fixture *f = start(64, 16, 64);
    int peer = dial(f);

    turn_until(f, &f->accepted, 1);
    cr_assert_eq(stream_write(f->stream, bytes_of("bye", 3)), 0);
    stream_finish_by_reset(f->stream);
    turns(f, 20);
    cr_assert_eq(f->closed, 1);
    close(peer);
    finish(f);
}

Test(stream, close_with_a_send_in_flight) {
    struct fixture *f = start(64, 16, 64);
    int peer = dial(f);
    static uint8_t data[900000];

    turn_until(f, &f->accepted, 1);
    for (size_t sent = 0; sent < 8; sent++) {
        if (stream_write(f->stream, bytes_of(data, sizeof data / 8)) < 0) {
            break;
        }
        turns(f, 2);
    }
    stream_close(f->stream);
    turn_until(f, &f->closed, 1);
    cr_assert_eq(f->ring.chunks.in_use, 0);
    close(peer);
    finish(f);
}

Test(stream, no_chunk_left_is_told) {
    struct fixture *f = start(64, 16, 2);
    int peer = dial(f);
    static uint8_t data[64 * 1024];

    turn_until(f, &f->accepted, 1);
    cr_assert_eq(stream_write(f->stream, bytes_of(data, sizeof data)), -ENOBUFS);
    stream_close(f->stream);
    turn_until(f, &f->closed, 1);
    close(peer);
    finish(f);
}

Test(stream, a_reader_without_credit_gets_nothing) {
    struct fixture *f = start(64, 16, 64);
    int peer = dial(f);

    f->hold = true;
    turn_until(f, &f->accepted, 1);
    cr_assert_eq(write(peer, "a", 1), 1);
    turn_until(f, &f->received, 1);
    cr_assert_eq(write(peer, "b", 1), 1);
    turns(f, 10);
    cr_assert_eq(f->received, 1);
    stream_receive(f->stream);
    turn_until(f, &f->received, 2);
    stream_close(f->stream);
    turn_until(f, &f->closed, 1);
    close(peer);
    finish(f);
}

Test(stream, reset_by_peer_is_a_failure) {
    struct fixture *f = start(64, 16, 64);
    int peer = dial(f);
    struct linger reset = {1, 0};

    turn_until(f, &f->accepted, 1);
    setsockopt(peer, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(peer);
    for (unsigned i = 0; i < 100 && f->error == 0; i++) {
        turns(f, 1);
    }
    cr_assert_eq(f->error, -ECONNRESET);
    stream_close(f->stream);
    turn_until(f, &f->closed, 1);
    finish(f);
}

Test(stream, more_connections_than_streams_wait_in_the_backlog) {
    struct fixture *f = start(20, 16, 64);
    int peers[30];
    unsigned before;

    for (size_t i = 0; i < ARRAY_LENGTH(peers); i++) {
        peers[i] = dial(f);
    }
    turns(f, 20);
    before = f->accepted;
    cr_assert_eq(before, 20);
    stream_close(f->stream);
    turn_until(f, &f->accepted, before + 1);
    for (unsigned round = 0; round < 50 && f->closed < ARRAY_LENGTH(peers); round++) {
        for (uint32_t i = 0; i < f->ring.streams.touched; i++) {
            struct stream *stream = slab_at(&f->ring.streams, i);

            if (stream->owner == f && stream->descriptor >= 0) {
                stream_close(stream);
            }
        }
        turns(f, 3);
    }
    cr_assert_eq(f->accepted, ARRAY_LENGTH(peers));
    cr_assert_eq(f->closed, ARRAY_LENGTH(peers));
    for (size_t i = 0; i < ARRAY_LENGTH(peers); i++) {
        close(peers[i]);
    }
    finish(f);
}

Test(stream, connects_and_talks) {
    struct fixture *f = start(64, 16, 64);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(f->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int error = 0;
    struct stream *client = stream_connect(&f->ring, (struct sockaddr *)&address, sizeof address, &handler, f, &error);

    cr_assert_not_null(client);
    cr_assert_eq(stream_write(client, bytes_of("early", 5)), 0, "writes before the connection stands are kept");
    turn_until(f, &f->connected, 1);
    turn_until(f, &f->received, 1);
    cr_assert_eq(f->bytes, 5);
    stream_close(client);
    stream_close(f->stream);
    turn_until(f, &f->closed, 2);
    finish(f);
}

Test(stream, tells_what_has_come_that_nobody_has_asked_for) {
    struct fixture *f = start(64, 16, 64);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(f->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int error = 0;
    struct stream *client = stream_connect(&f->ring, (struct sockaddr *)&address, sizeof address, &handler, f, &error);

    cr_assert_not_null(client);
    f->hold = true;
    turn_until(f, &f->connected, 1);
    turn_until(f, &f->accepted, 1);
    cr_assert(stream_is_quiet(client));
    cr_assert_eq(stream_write(client, bytes_of("hello", 5)), 0);
    turn_until(f, &f->received, 1);
    cr_assert_eq(stream_unacknowledged(client), 0);
    cr_assert_eq(stream_write(f->stream, bytes_of("x", 1)), 0);
    turns(f, 3);
    cr_assert_not(stream_is_quiet(client), "a byte");
    stream_receive(client);
    turn_until(f, &f->received, 2);
    cr_assert(stream_is_quiet(client));
    stream_finish(f->stream);
    turns(f, 3);
    cr_assert_not(stream_is_quiet(client), "the peer's end");
    stream_close(client);
    stream_close(f->stream);
    turn_until(f, &f->closed, 2);
    finish(f);
}

Test(stream, refused_connection_fails) {
    struct fixture *f = start(64, 16, 64);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(1), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int error = 0;
    struct stream *client = stream_connect(&f->ring, (struct sockaddr *)&address, sizeof address, &handler, f, &error);

    cr_assert_not_null(client);
    for (unsigned i = 0; i < 100 && f->error == 0; i++) {
        turns(f, 1);
    }
    cr_assert_eq(f->error, -ECONNREFUSED);
    stream_close(client);
    turn_until(f, &f->closed, 1);
    finish(f);
}

/* How many turns a newcomer's first byte takes beside many that have more to say than there are buffers for. */
static unsigned turns_beside_busy_sockets(bool busy_favoured, bool newcomer_favoured) {
    enum { BUSY = 80, BUFFERS = 16, PIECES = 12 };
    struct fixture *f = start(256, BUFFERS, 64);
    static uint8_t piece[64 * 1024];
    struct stream *newcomer;
    int peers[BUSY];
    int late;
    unsigned rounds = 0;

    f->favours = busy_favoured;
    for (int i = 0; i < BUSY; i++) {
        peers[i] = dial(f);
    }
    turn_until(f, &f->accepted, BUSY);
    f->favours = newcomer_favoured;
    for (int i = 0; i < BUSY * PIECES; i++) {
        send(peers[i % BUSY], piece, sizeof piece, MSG_DONTWAIT);
    }
    late = dial(f);
    turns(f, 2);
    cr_assert_eq(f->accepted, BUSY + 1);
    newcomer = f->stream;
    cr_assert_eq(write(late, "x", 1), 1);
    while (newcomer->bytes_received == 0 && rounds < 1000) {
        turns(f, 1);
        rounds++;
    }
    for (uint32_t i = 0; i < f->ring.streams.touched; i++) {
        struct stream *stream = slab_at(&f->ring.streams, i);

        if (stream->owner == f && stream->descriptor >= 0) {
            stream_close(stream);
        }
    }
    turn_until(f, &f->closed, BUSY + 1);
    for (int i = 0; i < BUSY; i++) {
        close(peers[i]);
    }
    close(late);
    finish(f);
    return rounds;
}

Test(stream, busy_sockets_leave_buffers_for_others, .timeout = 60) {
    unsigned rounds = turns_beside_busy_sockets(false, false);

    cr_assert_leq(rounds, 2 * (80 / 16 + 1), "its turn comes once all before it have had theirs, not after %u", rounds);
}

Test(stream, a_favoured_one_waits_for_no_others, .timeout = 60) {
    unsigned rounds = turns_beside_busy_sockets(false, true);

    cr_assert_leq(rounds, 3, "%u", rounds);
}

Test(stream, favoured_ones_do_not_get_all_buffers, .timeout = 60) {
    unsigned rounds = turns_beside_busy_sockets(true, false);

    cr_assert_leq(rounds, 4, "one in eight is for it, so not after %u", rounds);
}
