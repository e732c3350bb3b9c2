#include "http2/queue.h"

#include <criterion/criterion.h>

static struct http2_memory memory;
static struct http2_queue queue;

static uint8_t byte_at(size_t place) {
    return (uint8_t)(place * 7 + place / 251);
}

Test(queue, is_first_in_first_out) {
    uint8_t piece[3000];
    size_t in = 0;
    size_t out = 0;
    for (unsigned round = 0; round < 2000; round++) {
        size_t size = round * 37 % sizeof piece;
        for (size_t i = 0; i < size; i++) {
            piece[i] = byte_at(in + i);
        }
        cr_assert(http2_queue_append(&queue, &memory, bytes_of(piece, size)));
        in += size;
        cr_assert_eq(queue.size, in - out);
        for (unsigned turn = 0; turn < round % 4; turn++) {
            struct bytes front = http2_queue_front(&queue);
            size_t drop = front.size < 900 ? front.size : 900;
            for (size_t i = 0; i < drop; i++) {
                cr_assert_eq(front.data[i], byte_at(out + i));
            }
            http2_queue_drop(&queue, &memory, drop);
            out += drop;
        }
    }
    http2_queue_clear(&queue, &memory);
    cr_assert_eq(queue.size, 0);
    cr_assert_eq(memory.used, 0);
    cr_assert_eq(http2_queue_front(&queue).size, 0);
}

/* A section of trailers is read in one piece. */
Test(queue, keeps_an_append_to_an_empty_queue_in_one_piece) {
    static uint8_t piece[9000];
    for (size_t size = 1; size < sizeof piece; size += 1000) {
        cr_assert(http2_queue_append(&queue, &memory, bytes_of(piece, size)));
        cr_assert_eq(http2_queue_front(&queue).size, size);
        http2_queue_clear(&queue, &memory);
    }
}

Test(queue, gives_its_memory_back_as_it_empties) {
    static uint8_t piece[100000];
    cr_assert(http2_queue_append(&queue, &memory, bytes_of(piece, sizeof piece)));
    cr_assert_geq(memory.used, sizeof piece);
    while (queue.size > 0) {
        struct bytes front = http2_queue_front(&queue);
        http2_queue_drop(&queue, &memory, front.size);
    }
    cr_assert_eq(memory.used, 0);
    http2_queue_drop(&queue, &memory, 0);
    cr_assert(http2_queue_append(&queue, &memory, bytes_of(NULL, 0)));
    cr_assert_eq(memory.used, 0);
}
