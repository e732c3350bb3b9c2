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
