#include "http2/allowance.h"

#include <criterion/criterion.h>

static struct http2_allowance allowance;

static enum http2_excess frame(uint8_t type, uint8_t flags, uint32_t length, uint64_t now_s) {
    return http2_allowance_frame(&allowance, &(struct http2_frame){.type = type, .flags = flags, .length = length}, now_s);
}

Test(allowance, window_turns) {
    for (unsigned i = 0; i < HTTP2_SETTINGS; i++) {
        cr_assert_eq(frame(4, 0, 0, 100), HTTP2_EXCESS_NONE);
    }
    cr_assert_eq(frame(4, 0, 0, 100 + HTTP2_WINDOW_S - 1), HTTP2_EXCESS_SETTINGS);
    cr_assert_eq(frame(4, 0, 0, 100 + HTTP2_WINDOW_S), HTTP2_EXCESS_NONE);
}

Test(allowance, points_at_once) {
    cr_assert(http2_allowance_take(&allowance, HTTP2_EXCESS_HEADS, HTTP2_HEADS, HTTP2_HEADS, 50));
    cr_assert_not(http2_allowance_take(&allowance, HTTP2_EXCESS_HEADS, 1, HTTP2_HEADS, 50));
    cr_assert_not(http2_allowance_take(&allowance, HTTP2_EXCESS_FAULTS, 11, 10, 50));
    cr_assert(http2_allowance_take(&allowance, HTTP2_EXCESS_RESETS, 1, 1000000, 50));
    cr_assert_not(http2_allowance_take(&allowance, HTTP2_EXCESS_RESETS, UINT16_MAX, 1000000, 50));
}

Test(allowance, answers_pay_back) {
    cr_assert(http2_allowance_take(&allowance, HTTP2_EXCESS_RESETS, 10, 10, 50));
    cr_assert_not(http2_allowance_take(&allowance, HTTP2_EXCESS_RESETS, 1, 10, 50));
    http2_allowance_answered(&allowance);
    cr_assert(http2_allowance_take(&allowance, HTTP2_EXCESS_RESETS, 1, 10, 50));
    cr_assert_not(http2_allowance_take(&allowance, HTTP2_EXCESS_RESETS, 1, 10, 50));
}

Test(allowance, data_pays_for_tiny_frames) {
    for (unsigned i = 0; i < 10 * HTTP2_EMPTY_FRAMES; i++) {
        cr_assert_eq(frame(0, 0, 1, 50), HTTP2_EXCESS_NONE);
        cr_assert_eq(frame(0, 0, HTTP2_TINY_PAID_BY, 50), HTTP2_EXCESS_NONE);
    }
}

Test(allowance, end_of_a_stream_is_no_empty_frame) {
    for (unsigned i = 0; i < HTTP2_EMPTY_FRAMES; i++) {
        cr_assert_eq(frame(0, 1, 0, 50), HTTP2_EXCESS_NONE);
    }
}

/* Padding is no data; a frame that claims more padding than it has is a fault, which is not for us. */
Test(allowance, padding) {
    struct http2_frame padded = {.type = 0, .flags = 8, .length = 256, .padding = 255};
    unsigned passed = 0;
    while (http2_allowance_frame(&allowance, &padded, 50) == HTTP2_EXCESS_NONE) {
        passed++;
    }
    cr_assert_eq(passed, HTTP2_EMPTY_FRAMES / HTTP2_EMPTY_POINTS);
    padded.length = 3;
    cr_assert_eq(http2_allowance_frame(&allowance, &padded, 50), HTTP2_EXCESS_EMPTY_FRAMES);
}

Test(allowance, continuations_of_each_head) {
    for (unsigned head = 0; head < 100; head++) {
        cr_assert_eq(frame(1, 0, 10, 50), HTTP2_EXCESS_NONE);
        for (unsigned i = 0; i < HTTP2_CONTINUATIONS; i++) {
            cr_assert_eq(frame(9, 0, 10, 50), HTTP2_EXCESS_NONE);
        }
    }
    cr_assert_eq(frame(9, 0, 10, 50), HTTP2_EXCESS_CONTINUATIONS);
}

/* Returns how many WINDOW_UPDATE frames pass before one too many, of `most`. */
static unsigned updates_that_pass(unsigned most) {
    unsigned passed = 0;
    while (passed < most && frame(8, 0, 4, 50) == HTTP2_EXCESS_NONE) {
        passed++;
    }
    return passed;
}

Test(allowance, window_updates_that_nothing_has_earned) {
    cr_assert_eq(updates_that_pass(2000), HTTP2_WINDOW_UPDATES);
    cr_assert_eq(frame(8, 0, 4, 50), HTTP2_EXCESS_WINDOW_UPDATES);
}

Test(allowance, what_is_sent_earns_window_updates) {
    static const struct {
        size_t size, waiting;
        unsigned earned;
    } sent[] = {{1, 1, 4},           {63, 63, 4},      {64, 1000, 4}, {512, 512, 5}, {16384, 1000000, 36},
                {1, 2, 0 /* cut */}, {63, 1000000, 0}, {0, 0, 4}};
    for (size_t i = 0; i < sizeof sent / sizeof sent[0]; i++) {
        allowance = (struct http2_allowance){0};
        http2_allowance_sent(&allowance, sent[i].size, sent[i].waiting);
        cr_assert_eq(updates_that_pass(2000), HTTP2_WINDOW_UPDATES + sent[i].earned, "%zu", sent[i].size);
    }
}

Test(allowance, earned_window_updates_are_kept_up_to_a_bound) {
    for (unsigned i = 0; i < 10000; i++) {
        http2_allowance_sent(&allowance, 16384, 16384);
    }
    cr_assert_eq(updates_that_pass(100000), HTTP2_WINDOW_UPDATES + HTTP2_UPDATES_EARNED_MAX);
}

/* A client that opens its windows for each 4 KiB it reads, of 4 MiB that have been sent to it. */
Test(allowance, updates_by_small_steps_behind_a_whole_answer) {
    for (unsigned i = 0; i < 4 * 1024 / 16; i++) {
        http2_allowance_sent(&allowance, 16384, 16384);
    }
    cr_assert_eq(updates_that_pass(2 * 1024), 2 * 1024);
}
