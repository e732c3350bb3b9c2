/*
 * The bound on frames that a client may send on one connection although they move nothing forward: each costs a few hundred
 * nanoseconds and some an answer, and the RFCs set no bound on their number. Useful work pays them back. A client beyond the
 * bound gets GOAWAY with ENHANCE_YOUR_CALM (RFC 9113 section 10.5).
 */
#ifndef HTTP2_ALLOWANCE_H
#define HTTP2_ALLOWANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kinds of frames that a client can send too many of. */
enum http2_excess {
    HTTP2_EXCESS_NONE,
    HTTP2_EXCESS_RESETS, /* streams that the client resets before their answers (CVE-2023-44487), or that are refused */
    HTTP2_EXCESS_FAULTS, /* streams that the client has us reset, by frames that break the rules (CVE-2025-8671) */
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

/*
 * Frames that a client may send in a window of time beside those that it has paid back. Each bound is far above the needs of
 * clients, and the whole of it costs a few milliseconds of work.
 */
enum {
    HTTP2_WINDOW_S = 10,
    /*
     * A browser that leaves a page resets its streams at once: 100 of them, several times in a window. The calls of a gRPC
     * client, as many as may be open at once, can have one deadline. So as many as may be open are allowed when that
     * is more. Each answer that is complete pays one back; a stream that has lived for a second costs nothing.
     */
    HTTP2_RESETS = 400,
    HTTP2_RESET_LATE_S = 1,
    /* A client that has a fault in its heads meets it at each request. Each answer that is complete pays one back. */
    HTTP2_FAULTS = 100,
    /* A head of the largest size that is allowed has three. */
    HTTP2_CONTINUATIONS = 8,
    /* A page of 100 images whose Cookie is too large. A head beyond all patience (http2/head.h) counts as ten. */
    HTTP2_HEADS = 200,
    HTTP2_HEADS_HOPELESS = 10,
    /* Clients send one or two in a connection's life. */
    HTTP2_SETTINGS = 100,
    /*
     * gRPC measures with them while data flows, one in each round trip, which is short in a LAN; each DATA frame in either
     * direction pays one back. Without data it sends one in 10 s, to keep the connection.
     */
    HTTP2_PINGS = 1000,
    /* Browsers send some for each image that moves into view. Each answer pays back HTTP2_PAID_BY_ANSWER. */
    HTTP2_PRIORITIES = 1000,
    /*
     * In points: a DATA frame without any data costs HTTP2_EMPTY_POINTS, one of fewer than HTTP2_TINY_SIZE bytes costs one.
     * The smallest message of gRPC has five bytes, so that streams of small messages cost nothing. Data pays back. A
     * client that cuts its frames into single bytes, each in a TLS record, has us decrypt for each. So several crumbs cost
     * one point: a crumb has fewer than HTTP2_CRUMB_SIZE bytes, in which no frame begins and the last one does not end.
     */
    HTTP2_EMPTY_FRAMES = 4096,
    HTTP2_EMPTY_POINTS = 32,
    HTTP2_TINY_SIZE = 5,
    HTTP2_CRUMB_SIZE = 64,
    HTTP2_CRUMBS_PER_POINT = 8,
    HTTP2_TINY_PAID_BY = 256, /* bytes: they pay one point back */
    /*
     * The frames that nothing has earned. Some clients send two for each DATA frame, for stream and connection, others two
     * for each 4 KiB that they have read (Go), long after the whole answer was sent. So what is sent earns more than they
     * use: each DATA frame HTTP2_UPDATES_FOR_FRAME, and one more for each HTTP2_UPDATE_FOR_BYTES. A frame that the window
     * has cut to fewer than HTTP2_CUT_SIZE bytes earns nothing. A request earns HTTP2_UPDATES_FOR_FRAME too.
     */
    HTTP2_WINDOW_UPDATES = 500,
    HTTP2_UPDATES_FOR_FRAME = 4,
    HTTP2_UPDATE_FOR_BYTES = 512,
    HTTP2_UPDATES_EARNED_MAX = 16 * 1024, /* saved at most */
    HTTP2_CUT_SIZE = 64,                  /* output sends none smaller for want of room alone */
    /* Clients send one with a request at times, so that servers learn to ignore them (RFC 9113 section 5.5; RFC 8701). */
    HTTP2_UNKNOWN_FRAMES = 500,
    HTTP2_PAID_BY_ANSWER = 4,
};

/* Zeroed at first. */
struct http2_allowance {
    uint64_t window_began_s;
    uint16_t counts[HTTP2_EXCESS_KINDS];
    uint16_t updates_earned; /* WINDOW_UPDATE frames that are not counted */
};

/* The head of a frame that comes, as far as it matters here. */
struct http2_frame {
    uint32_t length; /* of the payload */
    uint32_t stream_id;
    uint8_t type;
    uint8_t flags;
    uint8_t padding;     /* DATA: as its Pad Length says */
    uint32_t dependency; /* PRIORITY: the stream that it names */
    uint32_t increment;  /* WINDOW_UPDATE: the bytes by which it opens a window */
};

/* Counts `points` more of that kind at `now_s`, of at most `most`. Returns false when they are too many. */
bool http2_allowance_take(struct http2_allowance *allowance, enum http2_excess kind, uint32_t points, uint32_t most,
                          uint64_t now_s);
/* Counts a frame of the client's. Returns the kind of which it has now sent too many, or HTTP2_EXCESS_NONE. */
enum http2_excess http2_allowance_frame(struct http2_allowance *allowance, const struct http2_frame *frame, uint64_t now_s);
/* An answer is complete. */
void http2_allowance_answered(struct http2_allowance *allowance);
/* A DATA frame with so many bytes has been sent, of `waiting` that could have been. */
void http2_allowance_sent(struct http2_allowance *allowance, size_t size, size_t waiting);

#endif
