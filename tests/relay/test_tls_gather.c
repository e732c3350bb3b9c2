/* Bytes are gathered for two streams of one shard, and leave by and by. */
#include "relay/tls_gather.h"

#include <criterion/criterion.h>

enum { RECORD = TLS_RECORD_SIZE_MAX };

/* Stands for a stream: counts what leaves. */
struct sender {
    unsigned records;
    size_t sizes[8];
    bool broken;
};

static bool encrypt(void *owner, struct bytes plaintext) {
    struct sender *sender = owner;
    cr_assert_lt(sender->records, 8);
    sender->sizes[sender->records++] = plaintext.size;
    return !sender->broken;
}

static struct ring ring;
static struct tls_gather gather;
static struct sender one, other;
static uint8_t data[4 * RECORD];

static void start(void) {
    const struct ring_options options = {.streams = 1, .accepted = 1, .receive_buffers = 8, .chunks = 8};
    struct error error;
    cr_assert_eq(ring_create(&ring, &options, &error), 0, "%s", error.text);
    tls_gather_init(&gather, &ring, encrypt);
}

static void give(struct sender *sender, size_t size) {
    tls_gather_write(&gather, sender, bytes_of(data, size));
}

static void end(void) {
    tls_gather_end(&gather);
    ring_destroy(&ring);
}

Test(tls_gather, has_a_turn_leave_as_one_record) {
    start();
    give(&one, 10);
    give(&one, 20);
    cr_assert(one.records == 0 && tls_gather_size(&gather, &one) == 30);
    cr_assert_eq(tls_gather_size(&gather, &other), 0);
    cr_assert_eq(ring_turn(&ring, 0), 0);
    cr_assert(one.records == 1 && one.sizes[0] == 30 && tls_gather_size(&gather, &one) == 0);
    end();
}

Test(tls_gather, has_a_full_record_leave_at_once) {
    start();
    give(&one, RECORD - 1);
    give(&one, 2);
    cr_assert(one.records == 1 && one.sizes[0] == RECORD && tls_gather_size(&gather, &one) == 1);
    tls_gather_flush(&gather, &one);
    cr_assert(one.records == 2 && one.sizes[1] == 1);
    give(&one, 2 * RECORD + 5);
    cr_assert(one.records == 3 && one.sizes[2] == 2 * RECORD && tls_gather_size(&gather, &one) == 5);
    tls_gather_drop(&gather, &one);
    end();
}

Test(tls_gather, serves_one_stream_after_the_other) {
    start();
    give(&one, 10);
    tls_gather_flush(&gather, &other);
    tls_gather_drop(&gather, &other);
    cr_assert(one.records == 0 && tls_gather_size(&gather, &one) == 10);
    give(&other, 7);
    cr_assert(one.records == 1 && one.sizes[0] == 10 && other.records == 0);
    tls_gather_drop(&gather, &other);
    cr_assert_eq(ring_turn(&ring, 0), 0);
    cr_assert_eq(other.records, 0);
    end();
}

Test(tls_gather, gives_no_more_to_what_cannot_leave) {
    one.broken = true;
    start();
    give(&one, 2 * RECORD + 5);
    cr_assert(one.records == 1 && tls_gather_size(&gather, &one) == 0);
    end();
}
