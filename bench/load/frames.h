/*
 * Frames of HTTP/2 (RFC 9113) as bytes: written into a buffer, right or wrong, and read as they come. Heads are HPACK
 * (RFC 7541) without Huffman codes.
 */
#ifndef BENCH_LOAD_FRAMES_H
#define BENCH_LOAD_FRAMES_H

#include "base/bytes.h"

enum {
    FRAME_HEADER_SIZE = 9,
    FRAME_PAYLOAD_MAX = 16384, /* a peer may send no more before it is told otherwise */
    FRAMES_SIZE = 16384,       /* capacity of `struct frames`: what one TLS record takes */
};

enum frame_type {
    FRAME_DATA,
    FRAME_HEADERS,
    FRAME_PRIORITY,
    FRAME_RST_STREAM,
    FRAME_SETTINGS,
    FRAME_PUSH_PROMISE,
    FRAME_PING,
    FRAME_GOAWAY,
    FRAME_WINDOW_UPDATE,
    FRAME_CONTINUATION,
};

enum frame_flag {
    FRAME_ACK = 0x01, /* SETTINGS, PING */
    FRAME_END_STREAM = 0x01,
    FRAME_END_HEADERS = 0x04,
    FRAME_PADDED = 0x08,
    FRAME_WITH_PRIORITY = 0x20,
};

enum frame_setting {
    FRAME_HEADER_TABLE_SIZE = 1,
    FRAME_ENABLE_PUSH = 2,
    FRAME_INITIAL_WINDOW_SIZE = 4,
};

enum {
    FRAME_CANCEL = 8, /* an error code */
    FRAME_INITIAL_WINDOW = 65535,
    FRAME_WINDOW_MAX = 0x7fffffff,
};

/* Entries of HPACK's static table. */
enum hpack_index {
    HPACK_AUTHORITY = 1,
    HPACK_METHOD_GET = 2,
    HPACK_METHOD_POST = 3,
    HPACK_PATH = 4,
    HPACK_SCHEME_HTTPS = 7,
    HPACK_DYNAMIC = 62, /* the newest entry of the dynamic table */
};

/* Frames that have been written. Their writer sees to it that there is room. */
struct frames {
    size_t size;
    uint8_t data[FRAMES_SIZE];
};

static inline size_t frames_room(const struct frames *frames) {
    return FRAMES_SIZE - frames->size;
}

/* The magic of RFC 9113 section 3.4. The SETTINGS that follow are the caller's. */
void frames_preface(struct frames *frames);
/* The header of a frame of which the payload follows. Returns the place for frames_end. `type` may be none of frame_type. */
size_t frames_begin(struct frames *frames, unsigned type, unsigned flags, uint32_t stream);
/* The payload is whole. */
void frames_end(struct frames *frames, size_t begin);
void frames_put(struct frames *frames, struct bytes payload);
void frames_put_u32(struct frames *frames, uint32_t number);
void frames_put_setting(struct frames *frames, enum frame_setting setting, uint32_t value);
/* A whole frame of which the payload is one number: RST_STREAM, WINDOW_UPDATE. */
void frames_number(struct frames *frames, enum frame_type type, uint32_t stream, uint32_t number);
/* A whole frame without payload: an acknowledgement of SETTINGS, empty DATA. */
void frames_empty(struct frames *frames, enum frame_type type, unsigned flags, uint32_t stream);
/* A PING, or the answer to one. */
void frames_ping(struct frames *frames, unsigned flags, const uint8_t data[static 8]);

/* A field, or its name, that a table has. `index`: 1 to 126. */
void hpack_indexed(struct frames *frames, unsigned index);
/* A field of which the static table has the name; no table keeps it. `name`: 1 to 14. */
void hpack_named(struct frames *frames, unsigned name, struct bytes value);
/* A field. `kept`: it goes into the dynamic table. Name and value have at most 16,000 bytes. */
void hpack_literal(struct frames *frames, bool kept, struct bytes name, struct bytes value);

/* Frames that come, in pieces of any size. Zeroed memory is one that has read nothing. */
struct frame_reader {
    uint8_t header[FRAME_HEADER_SIZE];
    uint8_t header_size; /* bytes of it that have come */
    uint8_t first_size;
    uint8_t first[8]; /* the beginning of the payload */
    uint8_t type;
    uint8_t flags;
    uint32_t stream;
    uint32_t left; /* bytes of the payload that have not come */
};

enum frame_part {
    FRAME_MORE,  /* all of `data` is read */
    FRAME_PIECE, /* a piece of the payload, at least a byte */
    FRAME_WHOLE, /* the payload has been read */
};

/* Reads on. Moves `data` behind what has been read; `piece` is part of it. */
enum frame_part frame_reader_next(struct frame_reader *reader, struct bytes *data, struct bytes *piece);
/* Returns a number in the first 8 bytes of the payload, 0 when the payload ended before. `place`: 0 to 4. */
uint32_t frame_reader_u32(const struct frame_reader *reader, size_t place);

#endif
