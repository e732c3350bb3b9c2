/* Any bytes as frames of a WebSocket: in pieces of any size they leave the same state, and a close frame of ours is the
 * last. */
#include "base/check.h"
#include "http/websocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct websocket_frames whole = {0};
    websocket_follow(&whole, bytes_of(data, size));
    for (size_t piece = 1; piece < size && piece < 16; piece++) {
        struct websocket_frames pieces = {0};
        for (size_t at = 0; at < size; at += piece) {
            websocket_follow(&pieces, bytes_of(data + at, size - at < piece ? size - at : piece));
        }
        CHECK(whole.payload_left == pieces.payload_left && whole.header_size == pieces.header_size &&
              whole.closed == pieces.closed);
    }
    if (websocket_takes_frame(&whole)) {
        uint8_t frame[WEBSOCKET_CLOSE_SIZE];
        websocket_write_close(WEBSOCKET_GOING_AWAY, frame);
        websocket_follow(&whole, bytes_of(frame, sizeof frame));
        CHECK(whole.closed && whole.payload_left == 0 && whole.header_size == 0 && !websocket_takes_frame(&whole));
    }
    return 0;
}
