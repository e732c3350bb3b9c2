/*
 * Frames of a WebSocket (RFC 6455 section 5), as far as a relay needs them: it follows one direction to know when a frame
 * of its own may be put between two others. Payloads are neither read nor kept.
 */
#ifndef HTTP_WEBSOCKET_H
#define HTTP_WEBSOCKET_H

#include "base/bytes.h"

/* RFC 6455 section 7.4.1. */
enum websocket_code {
    WEBSOCKET_GOING_AWAY = 1001,
    WEBSOCKET_POLICY_VIOLATION = 1008,
};

/* One direction. All 0 before its first byte. */
struct websocket_frames {
    uint64_t payload_left; /* bytes of the frame's payload that are still to come */
    uint8_t header[10];    /* of the frame, up to the length; a mask counts with the payload */
    uint8_t header_size;   /* bytes of it that have come; 0: none, or the header is complete */
    bool closed;           /* a close frame has begun: no frame may follow it */
};

enum { WEBSOCKET_CLOSE_SIZE = 4 };

/* Follows `passed`, the next bytes of the direction. */
void websocket_follow(struct websocket_frames *frames, struct bytes passed);
/* Returns whether another frame may come now: the last one is complete, and was no close frame. */
bool websocket_takes_frame(const struct websocket_frames *frames);
/* Writes a close frame of a server, which has no mask. */
void websocket_write_close(enum websocket_code code, uint8_t frame[static WEBSOCKET_CLOSE_SIZE]);

#endif
