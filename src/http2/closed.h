/*
 * Remembers streams that were closed lately, which nghttp2 forgets: frames that come for them are faults, or have crossed a
 * reset on their way (RFC 9113 section 5.1).
 */
#ifndef HTTP2_CLOSED_H
#define HTTP2_CLOSED_H

#include <stdbool.h>
#include <stdint.h>

enum {
    HTTP2_CLOSED_ENDED_MAX = 8, /* the latest that the peer had ended or reset */
    HTTP2_CLOSED_RESET_MAX =
        16, /* the latest that were reset here: frames for them may come for a while, and cost nothing */
};

enum http2_closed_how {
    HTTP2_CLOSED_UNKNOWN, /* long ago, or never opened */
    HTTP2_CLOSED_ENDED,
    HTTP2_CLOSED_RESET,
    HTTP2_CLOSED_MAYBE_RESET, /* not among the latest; a later stream, or this one, was reset here */
};

/* Zeroed at first. */
struct http2_closed {
    uint32_t ended[HTTP2_CLOSED_ENDED_MAX];
    uint32_t reset[HTTP2_CLOSED_RESET_MAX];
    uint32_t reset_highest; /* of all that were reset here */
    uint8_t ended_next;
    uint8_t reset_next;
};

/* Notes a stream, whose ID is not 0. `ended`: the peer had ended or reset it. */
void http2_closed_note(struct http2_closed *closed, uint32_t id, bool ended);
enum http2_closed_how http2_closed_find(const struct http2_closed *closed, uint32_t id);

#endif
