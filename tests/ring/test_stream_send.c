#include "fixture.h"

Test(stream_send, a_large_write_arrives_whole_and_in_order) {
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
        turns(f, 1);
        ssize_t size = recv(peer, got + have, sizeof got - have, MSG_DONTWAIT);
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

Test(stream_send, close_with_a_send_in_flight) {
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

Test(stream_send, no_chunk_left_is_told) {
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
