#include "ring/send_queue.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

enum { CHUNKS = 12 };

static uint8_t pattern[CHUNKS * RING_CHUNK_SIZE];

static struct slab make_chunks(void) {
    struct slab chunks;

    for (size_t i = 0; i < sizeof pattern; i++) {
        pattern[i] = (uint8_t)(i * 31 + i / 251);
    }
    cr_assert_eq(slab_create(&chunks, RING_CHUNK_SIZE, CHUNKS), 0);
    return chunks;
}

/* Compares what the next send takes with what it should. How much it is. */
static uint32_t expect_next(const struct send_queue *queue, const uint8_t *expected) {
    struct io_uring_sqe sqe;
    uint32_t size = send_queue_prepare(queue, &sqe, 7);
    uint32_t seen = 0;

    cr_assert_eq(sqe.fd, 7);
    if (sqe.opcode == IORING_OP_SEND) {
        cr_assert_eq(sqe.len, size);
        cr_assert_eq(memcmp((const void *)(uintptr_t)sqe.addr, expected, size), 0);
        return size;
    }
    cr_assert_eq(sqe.opcode, IORING_OP_SENDMSG);
    const struct msghdr *message = (const struct msghdr *)(uintptr_t)sqe.addr;
    for (size_t i = 0; i < message->msg_iovlen; i++) {
        cr_assert_eq(memcmp(message->msg_iov[i].iov_base, expected + seen, message->msg_iov[i].iov_len), 0);
        seen += (uint32_t)message->msg_iov[i].iov_len;
    }
    cr_assert_eq(seen, size);
    return size;
}

Test(send_queue, bytes_come_out_as_they_went_in_however_little_is_taken) {
    struct slab chunks = make_chunks();
    struct send_queue queue = {0};
    uint32_t in = 0;
    uint32_t out = 0;

    for (uint32_t part = 1; in + part <= 5 * RING_CHUNK_SIZE; part = part * 3 + 1) {
        cr_assert_eq(send_queue_append(&queue, &chunks, bytes_of(pattern + in, part)), 0);
        in += part;
    }
    for (uint32_t step = 1; out < in; step = step * 2 + 1) {
        uint32_t ready = expect_next(&queue, pattern + out);
        uint32_t taken = ready < step ? ready : step;

        send_queue_consume(&queue, &chunks, taken);
        out += taken;
        cr_assert_eq(queue.size, in - out);
    }
    cr_expect_eq(chunks.in_use, 0, "what is empty holds nothing");
    slab_destroy(&chunks);
}

Test(send_queue, small_writes_share_a_chunk) {
    struct slab chunks = make_chunks();
    struct send_queue queue = {0};

    for (unsigned i = 0; i < 1000; i++) {
        cr_assert_eq(send_queue_append(&queue, &chunks, bytes_of(pattern + i, 1)), 0);
    }
    cr_expect_eq(chunks.in_use, 1);
    cr_expect_eq(expect_next(&queue, pattern), 1000);
    send_queue_drop(&queue, &chunks);
    cr_expect(queue.size == 0 && chunks.in_use == 0);
    slab_destroy(&chunks);
}

Test(send_queue, one_send_has_its_bound_and_the_rest_follows) {
    struct slab chunks = make_chunks();
    struct send_queue queue = {0};
    uint32_t size = 10 * RING_CHUNK_SIZE;

    cr_assert_eq(send_queue_append(&queue, &chunks, bytes_of(pattern, size)), 0);
    uint32_t first = expect_next(&queue, pattern);
    cr_expect_lt(first, size);
    send_queue_consume(&queue, &chunks, first);
    cr_expect_eq(expect_next(&queue, pattern + first), size - first);
    send_queue_drop(&queue, &chunks);
    slab_destroy(&chunks);
}

Test(send_queue, says_so_when_there_are_no_chunks_left) {
    struct slab chunks = make_chunks();
    struct send_queue queue = {0};
    struct send_queue other = {0};

    cr_expect_eq(send_queue_append(&queue, &chunks, bytes_of(pattern, sizeof pattern)), -ENOBUFS);
    cr_expect_eq(chunks.in_use, CHUNKS);
    cr_expect_eq(send_queue_append(&other, &chunks, bytes_of(pattern, 1)), -ENOBUFS);
    cr_expect_eq(other.size, 0);
    send_queue_drop(&queue, &chunks);
    cr_expect_eq(send_queue_append(&other, &chunks, bytes_of(pattern, 1)), 0);
    send_queue_drop(&other, &chunks);
    slab_destroy(&chunks);
}
