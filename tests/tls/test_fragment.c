#include "tls/fragment.h"

#include <criterion/criterion.h>

/* Splits `input` and gives what left, joined. */
static size_t split(struct fragment *fragment, struct bytes input, uint8_t *out) {
    size_t size = 0;
    while (input.size > 0) {
        struct bytes next = fragment_next(fragment, &input);
        cr_assert(next.size > 0);
        memcpy(out + size, next.data, next.size);
        size += next.size;
    }
    return size;
}

static void expect_split(size_t limit, const char *input, size_t input_size, const char *output, size_t output_size) {
    struct fragment fragment = {.limit = limit};
    uint8_t out[256];
    size_t size = split(&fragment, bytes_of(input, input_size), out);
    cr_expect(size == output_size && memcmp(out, output, size) == 0, "limit %zu: %zu bytes", limit, size);
    cr_expect(fragment.record_left == 0 && fragment.piece == 0);
}

#define EXPECT_SPLIT(limit, input, output) expect_split(limit, input, sizeof(input) - 1, output, sizeof(output) - 1)

Test(fragment, a_handshake_record_is_split_at_the_limit) {
    EXPECT_SPLIT(4,
                 "\x16\x03\x03\x00\x04"
                 "abcd",
                 "\x16\x03\x03\x00\x04"
                 "abcd");
    EXPECT_SPLIT(3,
                 "\x16\x03\x03\x00\x04"
                 "abcd",
                 "\x16\x03\x03\x00\x03"
                 "abc"
                 "\x16\x03\x03\x00\x01"
                 "d");
    EXPECT_SPLIT(1,
                 "\x16\x03\x03\x00\x02"
                 "ab",
                 "\x16\x03\x03\x00\x01"
                 "a"
                 "\x16\x03\x03\x00\x01"
                 "b");
    EXPECT_SPLIT(2,
                 "\x16\x03\x03\x00\x03"
                 "abc"
                 "\x16\x03\x03\x00\x02"
                 "de",
                 "\x16\x03\x03\x00\x02"
                 "ab"
                 "\x16\x03\x03\x00\x01"
                 "c"
                 "\x16\x03\x03\x00\x02"
                 "de");
}

Test(fragment, what_is_encrypted_or_no_handshake_stays) {
    EXPECT_SPLIT(1,
                 "\x15\x03\x03\x00\x02"
                 "\x02\x28",
                 "\x15\x03\x03\x00\x02"
                 "\x02\x28");
    EXPECT_SPLIT(1,
                 "\x14\x03\x03\x00\x01\x01"
                 "\x16\x03\x03\x00\x04"
                 "abcd",
                 "\x14\x03\x03\x00\x01\x01"
                 "\x16\x03\x03\x00\x04"
                 "abcd");
    EXPECT_SPLIT(1,
                 "\x17\x03\x03\x00\x03"
                 "abc",
                 "\x17\x03\x03\x00\x03"
                 "abc");
}

Test(fragment, a_record_keeps_its_bytes_whatever_the_limit) {
    static uint8_t input[5 + 16384] = {22, 3, 3, 0x40, 0}, out[3 * sizeof input];
    for (size_t i = 5; i < sizeof input; i++) {
        input[i] = (uint8_t)(i * 7);
    }
    for (size_t limit = 64; limit <= 20000; limit = limit * 3 / 2) {
        struct fragment fragment = {.limit = limit};
        size_t size = split(&fragment, bytes_of(input, sizeof input), out);
        size_t at = 0, joined = 5;
        while (at < size) {
            size_t record = (size_t)out[at + 3] << 8 | out[at + 4];
            cr_assert(record > 0 && record <= limit);
            cr_assert(memcmp(out + at + 5, input + joined, record) == 0);
            joined += record;
            at += 5 + record;
        }
        cr_expect_eq(joined, sizeof input);
    }
}
