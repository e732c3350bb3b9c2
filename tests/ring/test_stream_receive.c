#include "fixture.h"

Test(stream_receive, echoes_and_closes) {
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

Test(stream_receive, bytes_of_accepted_sockets_are_counted_and_of_connected_ones_not) {
    struct fixture *f = start(64, 16, 64);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(f->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    f->echo = true;
    struct fixture client = {.hold = true};
    int error;
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
    stream_finish(f->stream); /* bytes that come now are read by nobody, and were received all the same */
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

/* Resets the connection at the peer's end, and expects that the stream fails by that. */
static void expect_reset_by(struct fixture *f, int peer) {
    struct linger hard = {.l_onoff = 1};

    cr_assert_eq(setsockopt(peer, SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
    close(peer);
    for (unsigned i = 0; i < 100 && f->error == 0; i++) {
        turns(f, 1);
    }
    cr_assert_eq(f->error, -ECONNRESET);
    stream_close(f->stream);
    turn_until(f, &f->closed, 1);
}

/* The peer has half-closed, and then goes: what a receive cannot tell any more, the watch does. */
Test(stream_receive, a_reset_behind_fin_is_told_to_a_watcher) {
    struct fixture *f = start(64, 16, 64);
    int peer = dial(f);

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
    expect_reset_by(f, peer);
    finish(f);
}

Test(stream_receive, reset_by_peer_is_a_failure) {
    struct fixture *f = start(64, 16, 64);
    int peer = dial(f);

    turn_until(f, &f->accepted, 1);
    expect_reset_by(f, peer);
    finish(f);
}

Test(stream_receive, many_streams_at_once_share_few_buffers) {
    struct fixture *f = start(256, 16, 256);

    f->echo = true;
    int peers[100];
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

Test(stream_receive, a_reader_without_credit_gets_nothing) {
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

Test(stream_receive, tells_what_has_come_that_nobody_has_asked_for) {
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

/* How many turns a newcomer's first byte takes beside many that have more to say than there are buffers for. */
static unsigned turns_beside_busy_sockets(bool busy_favoured, bool newcomer_favoured) {
    enum { BUSY = 80, BUFFERS = 16, PIECES = 12 };
    struct fixture *f = start(256, BUFFERS, 64);
    static uint8_t piece[64 * 1024];
    unsigned rounds = 0;

    f->favours = busy_favoured;
    int peers[BUSY];
    for (int i = 0; i < BUSY; i++) {
        peers[i] = dial(f);
    }
    turn_until(f, &f->accepted, BUSY);
    f->favours = newcomer_favoured;
    for (int i = 0; i < BUSY * PIECES; i++) {
        send(peers[i % BUSY], piece, sizeof piece, MSG_DONTWAIT);
    }
    int late = dial(f);
    turns(f, 2);
    cr_assert_eq(f->accepted, BUSY + 1);
    struct stream *newcomer = f->stream;
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

Test(stream_receive, busy_sockets_leave_buffers_for_others, .timeout = 60) {
    unsigned rounds = turns_beside_busy_sockets(false, false);

    cr_assert_leq(rounds, 2 * (80 / 16 + 1), "its turn comes once all before it have had theirs, not after %u", rounds);
}

Test(stream_receive, a_favoured_one_waits_for_no_others, .timeout = 60) {
    unsigned rounds = turns_beside_busy_sockets(false, true);

    cr_assert_leq(rounds, 3, "%u", rounds);
}

Test(stream_receive, favoured_ones_do_not_get_all_buffers, .timeout = 60) {
    unsigned rounds = turns_beside_busy_sockets(true, false);

    cr_assert_leq(rounds, 4, "one in eight is for it, so not after %u", rounds);
}

enum { READERS_MAX = RING_LARGE_RECEIVES + 8, DELIVERIES_MAX = 64 };

/* A stream that stream_connect has made, towards the fixture's listener, and what it was given. */
struct receiver {
    struct stream *stream;
    struct stream *source; /* its other end */
    size_t room;           /* that it tells, each time; 0: it asks no more */
    unsigned connected;
    unsigned deliveries;
    size_t sizes[DELIVERIES_MAX];
    uint8_t next; /* the byte that comes next */
    bool ended;
    int error;
};

static unsigned readers_closed;

static void ask(struct stream *stream) {
    struct receiver *reader = stream->owner;

    if (reader->room > 0) {
        stream_receive_up_to(stream, reader->room);
    }
}

static void reader_connected(struct stream *stream) {
    ((struct receiver *)stream->owner)->connected++;
}

static void reader_received(struct stream *stream, struct bytes data) {
    struct receiver *reader = stream->owner;

    reader->ended = data.size == 0;
    for (size_t i = 0; i < data.size; i++) {
        cr_assert_eq(data.data[i], reader->next++);
    }
    if (!reader->ended) {
        cr_assert_lt(reader->deliveries, (unsigned)DELIVERIES_MAX);
        reader->sizes[reader->deliveries++] = data.size;
        ask(stream);
    }
}

static void reader_failed(struct stream *stream, int error) {
    ((struct receiver *)stream->owner)->error = error;
}

static void reader_closed(struct stream *stream) {
    readers_closed++;
}

static const struct stream_handler reader_handler = {reader_connected, reader_received, NULL, reader_failed, reader_closed};

static void connect_reader(struct fixture *f, struct receiver *reader) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(f->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    unsigned accepted = f->accepted;
    int error;

    reader->stream = stream_connect(&f->ring, (struct sockaddr *)&address, sizeof address, &reader_handler, reader, &error);
    cr_assert_not_null(reader->stream);
    turn_until(f, &reader->connected, 1);
    turn_until(f, &f->accepted, accepted + 1);
    reader->source = f->stream;
}

/* Has so many bytes wait in the reader's socket. */
static void supply(struct fixture *f, struct receiver *reader, size_t size) {
    static uint8_t pattern[512 * 1024];

    cr_assert_leq(size, sizeof pattern - 256);
    for (size_t i = 0; i < size; i++) {
        pattern[i] = (uint8_t)(reader->next + i);
    }
    cr_assert_eq(stream_write(reader->source, bytes_of(pattern, size)), 0);
    for (unsigned i = 0; i < 500 && reader->source->queue.size > 0; i++) {
        turns(f, 1);
    }
    cr_assert_eq(reader->source->queue.size, 0, "the kernel's buffers take %zu bytes", size);
}

static void finish_readers(struct fixture *f, struct receiver *readers, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        stream_close(readers[i].stream);
        stream_close(readers[i].source);
    }
    turn_until(f, &readers_closed, count);
    turn_until(f, &f->closed, count);
    finish(f);
}

Test(stream_receive, a_socket_that_holds_much_is_read_as_its_reader_has_room) {
    struct fixture *f = start(64, 16, 64);
    struct receiver reader = {.room = SIZE_MAX};

    connect_reader(f, &reader);
    supply(f, &reader, 300 * 1024);
    ask(reader.stream);
    for (unsigned i = 0; i < 500 && reader.stream->bytes_received < 300 * 1024; i++) {
        unsigned before = reader.deliveries;

        turns(f, 1);
        cr_assert_leq(reader.deliveries, before + 1);
    }
    cr_assert_eq(reader.sizes[0], 64 * 1024);
    for (unsigned i = 0; i < reader.deliveries; i++) {
        cr_assert_leq(reader.sizes[i], 64 * 1024);
    }
    cr_assert_eq(reader.stream->bytes_received, 300 * 1024);
    cr_assert(reader.stream->receiving);
    cr_assert_eq(f->ring.accepted_received, 0);
    finish_readers(f, &reader, 1);
}

Test(stream_receive, a_large_receive_fills_records_and_never_more_than_the_room) {
    struct fixture *f = start(64, 16, 64);
    struct receiver reader = {.room = 1};

    connect_reader(f, &reader);
    supply(f, &reader, 200 * 1024);
    ask(reader.stream);
    turns(f, 1);
    cr_assert_eq(reader.sizes[0], 16 * 1024, "as a receive into a buffer may bring");
    reader.room = 40 * 1024;
    turns(f, 1);
    cr_assert_eq(reader.sizes[1], 16 * 1024, "the room counts that was told");
    reader.room = 0;
    turns(f, 3);
    cr_assert_eq(reader.deliveries, 3, "nothing more is asked for");
    cr_assert_eq(reader.sizes[2], 32 * 1024);
    finish_readers(f, &reader, 1);
}

/* By which readers choose how much to ask for. */
Test(stream_receive, a_stream_flows_while_its_deliveries_would_fill_a_buffer) {
    struct fixture *f = start(64, 16, 64);
    struct receiver reader = {0};

    connect_reader(f, &reader);
    struct stream *stream = reader.stream;
    cr_expect_not(stream->flows);
    supply(f, &reader, 3 * RING_RECEIVE_SIZE - 1);
    stream_receive(stream);
    turn_until(f, &reader.deliveries, 1);
    cr_expect(stream->flows);
    stream_receive_up_to(stream, SIZE_MAX);
    turn_until(f, &reader.deliveries, 2);
    cr_expect_eq(reader.sizes[1], 2 * RING_RECEIVE_SIZE - 1);
    cr_expect(stream->flows);
    supply(f, &reader, RING_RECEIVE_SIZE - 1);
    stream_receive_up_to(stream, SIZE_MAX);
    turn_until(f, &reader.deliveries, 3);
    cr_expect_not(stream->flows);
    finish_readers(f, &reader, 1);
}

/* Accepted streams have direct descriptors. */
Test(stream_receive, an_accepted_stream_is_read_as_its_reader_has_room_too) {
    struct fixture *f = start(64, 16, 64);
    struct receiver peer = {0};
    static uint8_t data[200 * 1024];

    f->hold = true;
    connect_reader(f, &peer);
    cr_assert_eq(stream_write(peer.stream, bytes_of(data, 1)), 0);
    turn_until(f, &f->received, 1);
    cr_assert_eq(stream_write(peer.stream, bytes_of(data, sizeof data)), 0);
    for (unsigned i = 0; i < 500 && peer.stream->queue.size > 0; i++) {
        turns(f, 1);
    }
    stream_receive_up_to(peer.source, 40 * 1024);
    turn_until(f, &f->received, 2);
    cr_assert_eq(f->bytes, 1 + 32 * 1024);
    stream_receive_up_to(peer.source, SIZE_MAX);
    turn_until(f, &f->received, 3);
    cr_assert_eq(f->bytes, 1 + (32 + 64) * 1024);
    cr_assert_eq(f->ring.accepted_received, f->bytes);
    finish_readers(f, &peer, 1);
}

Test(stream_receive, large_receives_go_round) {
    struct fixture *f = start(256, 64, 1024);
    static struct receiver readers[READERS_MAX];

    for (unsigned i = 0; i < READERS_MAX; i++) {
        readers[i].room = SIZE_MAX;
        connect_reader(f, &readers[i]);
        supply(f, &readers[i], 200 * 1024);
    }
    for (unsigned i = 0; i < READERS_MAX; i++) {
        ask(readers[i].stream);
    }
    for (unsigned turn = 0; turn < 8; turn++) {
        unsigned before[READERS_MAX], served = 0;

        for (unsigned i = 0; i < READERS_MAX; i++) {
            before[i] = readers[i].deliveries;
        }
        turns(f, 1);
        for (unsigned i = 0; i < READERS_MAX; i++) {
            unsigned more = readers[i].deliveries - before[i];

            served += more > 0 && readers[i].sizes[readers[i].deliveries - 1] > RING_RECEIVE_SIZE;
            cr_assert_leq(more, 1, "turn %u", turn);
        }
        cr_assert_leq(served, RING_LARGE_RECEIVES);
    }
    for (unsigned i = 0; i < READERS_MAX; i++) {
        cr_assert_eq(readers[i].stream->bytes_received, 200 * 1024, "reader %u", i);
    }
    finish_readers(f, readers, READERS_MAX);
}

/* The socket held much, and holds nothing any more: what comes then is received as ever, and so is the end. */
Test(stream_receive, an_empty_socket_is_waited_for) {
    struct fixture *f = start(64, 16, 64);
    struct receiver reader = {.room = SIZE_MAX};

    connect_reader(f, &reader);
    supply(f, &reader, 65 * 1024);
    ask(reader.stream);
    turns(f, 5);
    cr_assert_eq(reader.deliveries, 2);
    cr_assert(reader.stream->receiving && !reader.stream->waiting);
    supply(f, &reader, 5);
    turns(f, 2);
    cr_assert_eq(reader.sizes[2], 5);
    stream_end_half(reader.source);
    for (unsigned i = 0; i < 100 && !reader.ended; i++) {
        turns(f, 1);
    }
    cr_assert(reader.ended);
    finish_readers(f, &reader, 1);
}

Test(stream_receive, the_end_and_a_reset_come_by_a_large_receive_too) {
    struct fixture *f = start(64, 16, 64);
    struct receiver readers[2] = {{.room = SIZE_MAX}, {.room = SIZE_MAX}};

    for (unsigned i = 0; i < 2; i++) {
        connect_reader(f, &readers[i]);
        supply(f, &readers[i], 80 * 1024);
    }
    stream_end_half(readers[0].source);
    for (unsigned i = 0; i < 2; i++) {
        ask(readers[i].stream);
    }
    turns(f, 2);
    stream_reset(readers[1].source);
    for (unsigned i = 0; i < 100 && !(readers[0].ended && readers[1].error != 0); i++) {
        turns(f, 1);
    }
    cr_assert(readers[0].ended);
    cr_assert_eq(readers[0].stream->bytes_received, 80 * 1024);
    cr_assert_eq(readers[1].error, -ECONNRESET);
    stream_close(readers[0].stream);
    stream_close(readers[1].stream);
    stream_close(readers[0].source); /* the other one is gone, by its reset */
    turn_until(f, &readers_closed, 2);
    turn_until(f, &f->closed, 2);
    finish(f);
}

Test(stream_receive, one_that_waits_for_a_large_receive_may_close) {
    struct fixture *f = start(64, 16, 64);
    struct receiver reader = {.room = SIZE_MAX};

    connect_reader(f, &reader);
    supply(f, &reader, 200 * 1024);
    ask(reader.stream);
    turns(f, 1);
    cr_assert(reader.stream->waiting);
    unsigned deliveries = reader.deliveries;
    stream_close(reader.stream);
    stream_close(reader.source);
    turn_until(f, &readers_closed, 1);
    cr_assert_eq(reader.deliveries, deliveries);
    cr_assert_null(f->ring.large.first);
    turn_until(f, &f->closed, 1);
    finish(f);
}
