#include "load/frames.h"

#include "base/check.h"

enum {
    LITERAL = 0x00,       /* RFC 7541 section 6.2.2, with 4 bits of the name's index */
    LITERAL_KEPT = 0x40,  /* section 6.2.1 */
    INDEXED = 0x80,       /* section 6.1 */
    PREFIX_STRING = 0x7f, /* the largest number in 7 bits says that more follow */
    STREAM_MASK = 0x7fffffff,
};

static void put_byte(struct frames *frames, unsigned byte) {
    CHECK(frames->size < FRAMES_SIZE);
    frames->data[frames->size++] = (uint8_t)byte;
}

void frames_put(struct frames *frames, struct bytes payload) {
    CHECK(payload.size <= frames_room(frames));
    memcpy(frames->data + frames->size, payload.data, payload.size);
    frames->size += payload.size;
}

void frames_put_u32(struct frames *frames, uint32_t number) {
    for (int shift = 24; shift >= 0; shift -= 8) {
        put_byte(frames, number >> shift & 0xff);
    }
}

void frames_put_setting(struct frames *frames, enum frame_setting setting, uint32_t value) {
    put_byte(frames, 0);
    put_byte(frames, setting);
    frames_put_u32(frames, value);
}

void frames_preface(struct frames *frames) {
    frames_put(frames, bytes_of_string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
}

size_t frames_begin(struct frames *frames, unsigned type, unsigned flags, uint32_t stream) {
    size_t begin = frames->size;

    frames_put(frames, bytes_of("\0\0\0", 3));
    put_byte(frames, type);
    put_byte(frames, flags);
    frames_put_u32(frames, stream);
    return begin;
}

void frames_end(struct frames *frames, size_t begin) {
    size_t size = frames->size - begin - FRAME_HEADER_SIZE;

    CHECK(size <= FRAME_PAYLOAD_MAX);
    frames->data[begin + 1] = (uint8_t)(size >> 8);
    frames->data[begin + 2] = (uint8_t)size;
}

void frames_number(struct frames *frames, enum frame_type type, uint32_t stream, uint32_t number) {
    size_t begin = frames_begin(frames, type, 0, stream);

    frames_put_u32(frames, number);
    frames_end(frames, begin);
}

void frames_empty(struct frames *frames, enum frame_type type, unsigned flags, uint32_t stream) {
    frames_end(frames, frames_begin(frames, type, flags, stream));
}

void frames_ping(struct frames *frames, unsigned flags, const uint8_t data[static 8]) {
    size_t begin = frames_begin(frames, FRAME_PING, flags, 0);

    frames_put(frames, bytes_of(data, 8));
    frames_end(frames, begin);
}

/* RFC 7541 sections 5.1 and 5.2, with two more bytes of the size at most. */
static void put_string(struct frames *frames, struct bytes string) {
    CHECK(string.size < PREFIX_STRING + (1U << 14));
    if (string.size < PREFIX_STRING) {
        put_byte(frames, (unsigned)string.size);
    } else {
        unsigned rest = (unsigned)string.size - PREFIX_STRING;

        put_byte(frames, PREFIX_STRING);
        if (rest >= 0x80) {
            put_byte(frames, 0x80 | (rest & 0x7f));
            rest >>= 7;
        }
        put_byte(frames, rest);
    }
    frames_put(frames, string);
}

void hpack_indexed(struct frames *frames, unsigned index) {
    put_byte(frames, INDEXED | index);
}

void hpack_named(struct frames *frames, unsigned name, struct bytes value) {
    put_byte(frames, LITERAL | name);
    put_string(frames, value);
}

void hpack_literal(struct frames *frames, bool kept, struct bytes name, struct bytes value) {
    put_byte(frames, kept ? LITERAL_KEPT : LITERAL);
    put_string(frames, name);
    put_string(frames, value);
}

static uint32_t number_at(const uint8_t *byte) {
    return (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 8 | byte[3];
}

/* True when the header of a frame is whole. */
static bool take_header(struct frame_reader *reader, struct bytes *data) {
    size_t want = FRAME_HEADER_SIZE - reader->header_size;
    size_t size = data->size < want ? data->size : want;

    memcpy(reader->header + reader->header_size, data->data, size);
    reader->header_size += (uint8_t)size;
    *data = bytes_of(data->data + size, data->size - size);
    if (size < want) {
        return false;
    }
    reader->left = number_at(reader->header) >> 8;
    reader->type = reader->header[3];
    reader->flags = reader->header[4];
    reader->stream = number_at(reader->header + 5) & STREAM_MASK;
    reader->first_size = 0;
    return true;
}

enum frame_part frame_reader_next(struct frame_reader *reader, struct bytes *data, struct bytes *piece) {
    if (reader->header_size < FRAME_HEADER_SIZE && (data->size == 0 || !take_header(reader, data))) {
        return FRAME_MORE;
    }
    if (reader->left == 0) {
        reader->header_size = 0;
        return FRAME_WHOLE;
    }
    if (data->size == 0) {
        return FRAME_MORE;
    }
    *piece = bytes_of(data->data, data->size < reader->left ? data->size : reader->left);
    *data = bytes_of(data->data + piece->size, data->size - piece->size);
    reader->left -= (uint32_t)piece->size;
    for (size_t i = 0; i < piece->size && reader->first_size < sizeof reader->first; i++) {
        reader->first[reader->first_size++] = piece->data[i];
    }
    return FRAME_PIECE;
}

uint32_t frame_reader_u32(const struct frame_reader *reader, size_t place) {
    return place + 4 > reader->first_size ? 0 : number_at(reader->first + place);
}
