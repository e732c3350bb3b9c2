#include "fixture.h"

/* Dials 30 connections, of which 20 find a place. */
static void expect_the_rest_to_wait(struct fixture *f) {
    int peers[30];

    for (size_t i = 0; i < ARRAY_LENGTH(peers); i++) {
        peers[i] = dial(f);
    }
    turns(f, 20);
    unsigned before = f->accepted;
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
    cr_assert_eq(f->ring.accepted, LISTENER_ACCEPTS);
    finish(f);
}

Test(stream_begin, more_connections_than_streams_wait_in_the_backlog) {
    expect_the_rest_to_wait(start(20, 16, 64));
}

Test(stream_begin, more_connections_than_direct_descriptors_wait_in_the_backlog) {
    const struct ring_options options = {.accepted = 20, .streams = 64, .receive_buffers = 16, .chunks = 64};

    expect_the_rest_to_wait(start_with(&options));
}

Test(stream_begin, connects_and_talks) {
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

Test(stream_begin, refused_connection_fails) {
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
