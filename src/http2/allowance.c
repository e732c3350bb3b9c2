#include "http2/allowance.h"

#include <nghttp2/nghttp2.h>
#include <string.h>

static void turn_window(struct http2_allowance *allowance, uint64_t now_s) {
    if (now_s - allowance->window_began_s >= HTTP2_WINDOW_S) {
        memset(allowance->counts, 0, sizeof allowance->counts);
        allowance->window_began_s = now_s;
    }
}

static void pay_back(struct http2_allowance *allowance, enum http2_excess kind, size_t points) {
    uint16_t *count = &allowance->counts[kind];
    *count = points < *count ? (uint16_t)(*count - points) : 0;
}

static void earn_updates(struct http2_allowance *allowance, size_t count) {
    size_t earned = allowance->updates_earned + count;
    allowance->updates_earned = earned < HTTP2_UPDATES_EARNED_MAX ? (uint16_t)earned : HTTP2_UPDATES_EARNED_MAX;
}

bool http2_allowance_take(struct http2_allowance *allowance, enum http2_excess kind, uint32_t points, uint32_t most,
                          uint64_t now_s) {
    turn_window(allowance, now_s);
    most = most < UINT16_MAX ? most : UINT16_MAX;
    if (points > most || allowance->counts[kind] > most - points) {
        return false;
    }
    allowance->counts[kind] = (uint16_t)(allowance->counts[kind] + points);
    return true;
}

static bool take_data(struct http2_allowance *allowance, const struct http2_frame *frame, uint64_t now_s) {
    uint32_t around = frame->flags & NGHTTP2_FLAG_PADDED ? 1 + (uint32_t)frame->padding : 0;
    uint32_t size = frame->length > around ? frame->length - around : 0;
    pay_back(allowance, HTTP2_EXCESS_PINGS, size > 0);
    pay_back(allowance, HTTP2_EXCESS_EMPTY_FRAMES, size / HTTP2_TINY_PAID_BY);
    if (size >= HTTP2_TINY_SIZE || frame->flags & NGHTTP2_FLAG_END_STREAM) {
        return true;
    }
    return http2_allowance_take(allowance, HTTP2_EXCESS_EMPTY_FRAMES, size == 0 ? HTTP2_EMPTY_POINTS : 1, HTTP2_EMPTY_FRAMES,
                                now_s);
}

/* CONTINUATION is counted for each head: a frame that is not one begins anew. */
static bool take_head(struct http2_allowance *allowance, const struct http2_frame *frame) {
    uint16_t *count = &allowance->counts[HTTP2_EXCESS_CONTINUATIONS];
    if (frame->type != NGHTTP2_CONTINUATION) {
        *count = 0;
        earn_updates(allowance, HTTP2_UPDATES_FOR_FRAME);
        return true;
    }
    return ++*count <= HTTP2_CONTINUATIONS;
}

struct bound {
    enum http2_excess kind;
    uint32_t most;
};

static struct bound bound_of(uint8_t type) {
    switch (type) {
    case NGHTTP2_SETTINGS:
        return (struct bound){HTTP2_EXCESS_SETTINGS, HTTP2_SETTINGS};
    case NGHTTP2_PING:
        return (struct bound){HTTP2_EXCESS_PINGS, HTTP2_PINGS};
    case NGHTTP2_PRIORITY:
    case NGHTTP2_PRIORITY_UPDATE:
        return (struct bound){HTTP2_EXCESS_PRIORITIES, HTTP2_PRIORITIES};
    case NGHTTP2_WINDOW_UPDATE:
        return (struct bound){HTTP2_EXCESS_WINDOW_UPDATES, HTTP2_WINDOW_UPDATES};
    default:
        return (struct bound){HTTP2_EXCESS_UNKNOWN_FRAMES, HTTP2_UNKNOWN_FRAMES};
    }
}

enum http2_excess http2_allowance_frame(struct http2_allowance *allowance, const struct http2_frame *frame, uint64_t now_s) {
    switch (frame->type) {
    case NGHTTP2_DATA:
        return take_data(allowance, frame, now_s) ? HTTP2_EXCESS_NONE : HTTP2_EXCESS_EMPTY_FRAMES;
    case NGHTTP2_HEADERS:
    case NGHTTP2_CONTINUATION:
        return take_head(allowance, frame) ? HTTP2_EXCESS_NONE : HTTP2_EXCESS_CONTINUATIONS;
    case NGHTTP2_RST_STREAM: /* the session knows whether it came early */
        return HTTP2_EXCESS_NONE;
    case NGHTTP2_WINDOW_UPDATE:
        if (allowance->updates_earned > 0) {
            allowance->updates_earned--;
            return HTTP2_EXCESS_NONE;
        }
        break;
    default:
        break;
    }
    struct bound bound = bound_of(frame->type);
    return http2_allowance_take(allowance, bound.kind, 1, bound.most, now_s) ? HTTP2_EXCESS_NONE : bound.kind;
}

void http2_allowance_answered(struct http2_allowance *allowance) {
    pay_back(allowance, HTTP2_EXCESS_RESETS, 1);
    pay_back(allowance, HTTP2_EXCESS_FAULTS, 1);
    pay_back(allowance, HTTP2_EXCESS_PRIORITIES, HTTP2_PAID_BY_ANSWER);
    pay_back(allowance, HTTP2_EXCESS_UNKNOWN_FRAMES, 1);
}

void http2_allowance_sent(struct http2_allowance *allowance, size_t size, size_t waiting) {
    pay_back(allowance, HTTP2_EXCESS_PINGS, 1);
    if (size >= HTTP2_CUT_SIZE || size == waiting) {
        earn_updates(allowance, HTTP2_UPDATES_FOR_FRAME + size / HTTP2_UPDATE_FOR_BYTES);
    }
}
