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

Test(allowance, sent_data_pays_for_windows_and_pings) {
    for (unsigned i = 0; i < HTTP2_WINDOW_UPDATES; i++) {
        cr_assert_eq(frame(8, 0, 4, 50), HTTP2_EXCESS_NONE);
    }
    cr_assert_eq(frame(8, 0, 4, 50), HTTP2_EXCESS_WINDOW_UPDATES);
    http2_allowance_sent(&allowance, HTTP2_UPDATES_PAID_BY - 1);
    cr_assert_eq(frame(8, 0, 4, 50), HTTP2_EXCESS_WINDOW_UPDATES);
    http2_allowance_sent(&allowance, HTTP2_UPDATES_PAID_BY);
    cr_assert_eq(frame(8, 0, 4, 50), HTTP2_EXCESS_NONE);
}
