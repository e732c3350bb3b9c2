#include "fixture.h"

Test(stream_end, a_watched_stream_ends_in_every_way) {
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

Test(stream_end, finish_lingers_until_the_peer_is_done) {
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
Test(stream_end, finish_briefly_lets_the_last_word_be_read) {
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

Test(stream_end, finish_by_reset_waits_for_nobody) {
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

Test(stream_end, of_a_half_lets_the_other_go_on) {
    struct fixture *f = start(64, 16, 64);
    int peer = dial(f);
    char text[8] = {0};

    turn_until(f, &f->accepted, 1);
    cr_assert_eq(stream_write(f->stream, bytes_of("bye", 3)), 0);
    stream_end_half(f->stream);
    stream_end_half(f->stream);
    turns(f, 5);
    cr_assert_eq(read(peer, text, sizeof text), 3, "what was written leaves first");
    cr_assert_eq(read(peer, text, sizeof text), 0);
    cr_assert_eq(write(peer, "still talking", 13), 13);
    for (unsigned i = 0; i < 100 && f->bytes < 13; i++) {
        turns(f, 1);
    }
    cr_assert_eq(f->bytes, 13);
    cr_assert_eq(f->closed + (unsigned)f->error, 0);
    stream_finish(f->stream);
    close(peer);
    turn_until(f, &f->closed, 1);
    finish(f);
}

Test(stream_end, of_a_half_with_nothing_to_send) {
    struct fixture *f = start(64, 16, 64);
    int peer = dial(f);
    char text[8] = {0};

    turn_until(f, &f->accepted, 1);
    stream_end_half(f->stream);
    turns(f, 3);
    cr_assert_eq(read(peer, text, sizeof text), 0);
    stream_close(f->stream);
    turn_until(f, &f->closed, 1);
    close(peer);
    finish(f);
}
