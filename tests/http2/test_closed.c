#include "http2/closed.h"

#include <criterion/criterion.h>

Test(closed, remembers_the_latest) {
    struct http2_closed closed = {0};
    cr_assert_eq(http2_closed_find(&closed, 1), HTTP2_CLOSED_UNKNOWN);
    for (uint32_t id = 1; id < 2000; id += 4) {
        http2_closed_note(&closed, id, true);
        http2_closed_note(&closed, id + 2, false);
        cr_assert_eq(http2_closed_find(&closed, id), HTTP2_CLOSED_ENDED);
        cr_assert_eq(http2_closed_find(&closed, id + 2), HTTP2_CLOSED_RESET);
        for (uint32_t back = 1; back < HTTP2_CLOSED_ENDED_MAX && 4 * back < id; back++) {
            cr_assert_eq(http2_closed_find(&closed, id - 4 * back), HTTP2_CLOSED_ENDED);
        }
    }
    cr_assert_eq(http2_closed_find(&closed, 1), HTTP2_CLOSED_MAYBE_RESET);
    cr_assert_eq(http2_closed_find(&closed, 3), HTTP2_CLOSED_MAYBE_RESET);
    cr_assert_eq(http2_closed_find(&closed, 2001), HTTP2_CLOSED_UNKNOWN);
}

Test(closed, knows_the_highest_that_was_reset) {
    struct http2_closed closed = {0};
    http2_closed_note(&closed, 9, false);
    http2_closed_note(&closed, 5, false);
    http2_closed_note(&closed, 13, true);
    cr_assert_eq(http2_closed_find(&closed, 3), HTTP2_CLOSED_MAYBE_RESET);
    cr_assert_eq(http2_closed_find(&closed, 7), HTTP2_CLOSED_MAYBE_RESET);
    cr_assert_eq(http2_closed_find(&closed, 9), HTTP2_CLOSED_RESET);
    cr_assert_eq(http2_closed_find(&closed, 11), HTTP2_CLOSED_UNKNOWN);
    cr_assert_eq(http2_closed_find(&closed, 13), HTTP2_CLOSED_ENDED);
}
