/* Streams to Unix sockets. The peer is blocking, as in the other tests of streams. */
#include "fixture.h"

#include <stddef.h>
#include <stdio.h>
#include <sys/un.h>

static struct sockaddr_un address;
static socklen_t address_size;
static int listening;

static struct fixture *begin(int backlog) {
    /* An abstract name leaves nothing behind. */
    address.sun_family = AF_UNIX;
    int length = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "sallyport-test-%d", getpid());
    address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
    listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(listening, (struct sockaddr *)&address, address_size), 0);
    cr_assert_eq(listen(listening, backlog), 0);
    return start(64, 16, 64);
}

static void end(struct fixture *f) {
    close(listening);
    finish(f);
}

static struct stream *connect_to(struct fixture *f) {
    int error = 0;
    struct stream *stream = stream_connect(&f->ring, (struct sockaddr *)&address, address_size, &handler, f, &error);

    cr_assert_not_null(stream, "%s", strerror(-error));
    return stream;
}

static struct stream *open_to(struct fixture *f, int *peer) {
    struct stream *stream = connect_to(f);

    turn_until(f, &f->connected, f->connected + 1);
    *peer = accept(listening, NULL, NULL);
    cr_assert_geq(*peer, 0);
    return stream;
}

Test(stream_local, connects_and_talks) {
    struct fixture *f = begin(8);
    struct stream *stream = connect_to(f);
    char bytes[8];

    cr_assert_eq(stream_write(stream, bytes_of("early", 5)), 0);
    turn_until(f, &f->connected, 1);
    int peer = accept(listening, NULL, NULL);
    turn_until(f, &f->drained, 1);
    cr_assert_eq(read(peer, bytes, sizeof bytes), 5);
    cr_assert(stream_is_quiet(stream));
    stream_receive(stream);
    cr_assert_eq(write(peer, "answer", 6), 6);
    turn_until(f, &f->received, 1);
    cr_assert_eq(f->bytes, 6);
    close(peer);
    turn_until(f, &f->received, 2);
    cr_assert(f->ended);
    cr_assert_not(stream_is_quiet(stream));
    stream_close(stream);
    turn_until(f, &f->closed, 1);
    end(f);
}

/* A receive waits although the socket was made so that the connection would not. */
Test(stream_local, waits_for_bytes_that_are_late) {
    struct fixture *f = begin(8);
    int peer;
    struct stream *stream = open_to(f, &peer);

    stream_receive_up_to(stream, 65536);
    turns(f, 5);
    cr_assert_eq(f->error, 0);
    cr_assert_eq(write(peer, "late", 4), 4);
    turn_until(f, &f->received, 1);
    cr_assert_eq(f->bytes, 4);
    stream_close(stream);
    turn_until(f, &f->closed, 1);
    close(peer);
    end(f);
}

/* The kernel counts memory there, not bytes: nothing follows from its figure. */
Test(stream_local, does_not_say_what_has_arrived) {
    struct fixture *f = begin(8);
    int peer;
    struct stream *stream = open_to(f, &peer);

    cr_assert_eq(stream_write(stream, bytes_of("request", 7)), 0);
    turn_until(f, &f->drained, 1);
    cr_assert_eq(stream_unacknowledged(stream), SIZE_MAX);
    stream_close(stream);
    turn_until(f, &f->closed, 1);
    close(peer);
    end(f);
}

/* There is no reset that would end a receive: it has to be cancelled. */
Test(stream_local, ends_with_a_receive_in_flight) {
    struct fixture *f = begin(8);
    int peers[2];
    struct stream *reset = open_to(f, &peers[0]), *brief = open_to(f, &peers[1]);

    stream_receive(reset);
    stream_receive(brief);
    turns(f, 2);
    stream_reset(reset);
    cr_assert_eq(stream_write(brief, bytes_of("last", 4)), 0);
    stream_finish_briefly(brief);
    turn_until(f, &f->closed, 2);
    cr_assert_eq(f->error, 0);
    close(peers[0]);
    close(peers[1]);
    end(f);
}

Test(stream_local, a_socket_that_is_not_there_fails) {
    struct fixture *f = begin(8);

    close(listening);
    struct stream *stream = connect_to(f);
    for (unsigned i = 0; i < 100 && f->error == 0; i++) {
        turns(f, 1);
    }
    cr_assert_eq(f->error, -ECONNREFUSED);
    stream_close(stream);
    turn_until(f, &f->closed, 1);
    finish(f);
}

/* Those that find no room wait for it, as they do with TCP; and can be closed meanwhile. */
Test(stream_local, a_full_backlog_is_waited_for) {
    struct fixture *f = begin(0);
    struct stream *streams[4];

    for (size_t i = 0; i < ARRAY_LENGTH(streams); i++) {
        streams[i] = connect_to(f);
    }
    turns(f, 10);
    unsigned before = f->connected;
    cr_assert_lt(before, ARRAY_LENGTH(streams));
    cr_assert_eq(f->error, 0);
    stream_close(streams[3]);
    turn_until(f, &f->closed, 1);
    for (unsigned i = 0; f->connected < 3; i++) {
        cr_assert_lt(i, 100);
        int peer = accept(listening, NULL, NULL);
        turn_until(f, &f->connected, f->connected + (f->connected < 3));
        close(peer);
    }
    cr_assert_eq(f->error, 0);
    for (size_t i = 0; i < 3; i++) {
        stream_close(streams[i]);
    }
    turn_until(f, &f->closed, 4);
    end(f);
}
