/*
 * The bound on frames that a client may send on one connection although they move nothing forward: each costs a few hundred
 * nanoseconds and some an answer, and the RFCs set no bound on their number. Useful work pays them back. A client beyond the
 * bound gets GOAWAY with ENHANCE_YOUR_CALM (RFC 9113 section 10.5).
 */
#ifndef HTTP2_ALLOWANCE_H
#define HTTP2_ALLOWANCE_H

#include <stdbool.h>
#include <stdint.h>

/* The kinds of frames that a client can send too many of. */
enum http2_excess {
    HTTP2_EXCESS_NONE,
    HTTP2_EXCESS_RESETS,        /* streams that the client resets before their answers (CVE-2023-44487) */
    HTTP2_EXCESS_FAULTS,        /* streams that the client has us reset, by frames that break the rules (CVE-2025-8671) */
    HTTP2_EXCESS_CONTINUATIONS, /* CONTINUATION frames of one head */
    HTTP2_EXCESS_HEADS,         /* heads that are larger than the limit, again and again: HPACK bombs */
    HTTP2_EXCESS_SETTINGS,
    HTTP2_EXCESS_PINGS,
    HTTP2_EXCESS_PRIORITIES,     /* PRIORITY, PRIORITY_UPDATE */
    HTTP2_EXCESS_EMPTY_FRAMES,   /* DATA without data that ends nothing, or next to nothing of it */
    HTTP2_EXCESS_WINDOW_UPDATES, /* more than the answers that they let through call for */
    HTTP2_EXCESS_UNKNOWN_FRAMES, /* of types that mean nothing here */
    HTTP2_EXCESS_KINDS,
};

#endif
