#include "http2/closed.h"

void http2_closed_note(struct http2_closed *closed, uint32_t id, bool ended) {
    if (ended) {
        closed->ended[closed->ended_next++ % HTTP2_CLOSED_ENDED_MAX] = id;
    } else {
        closed->reset[closed->reset_next++ % HTTP2_CLOSED_RESET_MAX] = id;
        closed->reset_highest = id > closed->reset_highest ? id : closed->reset_highest;
    }
}

enum http2_closed_how http2_closed_find(const struct http2_closed *closed, uint32_t id) {
    for (unsigned i = 0; i < HTTP2_CLOSED_ENDED_MAX; i++) {
        if (closed->ended[i] == id) {
            return HTTP2_CLOSED_ENDED;
        }
    }
    for (unsigned i = 0; i < HTTP2_CLOSED_RESET_MAX; i++) {
        if (closed->reset[i] == id) {
            return HTTP2_CLOSED_RESET;
        }
    }
    return id <= closed->reset_highest ? HTTP2_CLOSED_MAYBE_RESET : HTTP2_CLOSED_UNKNOWN;
}
