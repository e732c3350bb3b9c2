#include "http/websocket.h"

enum {
    OPCODE = 0x0f,
    OPCODE_CLOSE = 8,
    FINAL = 0x80,
    MASKED = 0x80,
    LENGTH = 0x7f,
    LENGTH_IN_TWO = 126,
    LENGTH_IN_EIGHT = 127,
    MASK_SIZE = 4,
};

/* Returns the size of the header, without the mask, as far as its bytes up to now tell. */
static uint8_t header_size(const struct websocket_frames *frames) {
    if (frames->header_size < 2) {
        return 2;
    }
    switch (frames->header[1] & LENGTH) {
    case LENGTH_IN_TWO:
        return 4;
    case LENGTH_IN_EIGHT:
        return 10;
    default:
        return 2;
    }
}

static uint64_t payload_size(const struct websocket_frames *frames) {
    uint64_t size = 0;
    if (frames->header_size == 2) {
        return frames->header[1] & LENGTH;
    }
    for (uint8_t i = 2; i < frames->header_size; i++) {
        size = size << 8 | frames->header[i];
    }
    /* The highest bit must be 0 (section 5.2): without it the size and a mask do not overflow. */
    return size & INT64_MAX;
}

static void end_header(struct websocket_frames *frames) {
    frames->closed = frames->closed || (frames->header[0] & OPCODE) == OPCODE_CLOSE;
    frames->payload_left = payload_size(frames) + ((frames->header[1] & MASKED) != 0 ? MASK_SIZE : 0);
    frames->header_size = 0;
}

void websocket_follow(struct websocket_frames *frames, struct bytes passed) {
    while (passed.size > 0) {
        size_t size = 1;
        if (frames->payload_left > 0) {
            size = passed.size < frames->payload_left ? passed.size : (size_t)frames->payload_left;
            frames->payload_left -= size;
        } else {
            frames->header[frames->header_size++] = passed.data[0];
            if (frames->header_size == header_size(frames)) {
                end_header(frames);
            }
        }
        passed = bytes_of(passed.data + size, passed.size - size);
    }
}

bool websocket_takes_frame(const struct websocket_frames *frames) {
    return frames->payload_left == 0 && frames->header_size == 0 && !frames->closed;
}

void websocket_write_close(enum websocket_code code, uint8_t frame[static WEBSOCKET_CLOSE_SIZE]) {
    frame[0] = FINAL | OPCODE_CLOSE;
    frame[1] = 2; /* bytes of payload: the code */
    frame[2] = (uint8_t)(code >> 8);
    frame[3] = (uint8_t)code;
}
