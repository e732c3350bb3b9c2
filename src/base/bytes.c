#include "base/bytes.h"

#include "base/ascii.h"

bool bytes_equal_ignoring_case(struct bytes a, struct bytes b) {
    if (a.size != b.size) {
        return false;
    }
    for (size_t i = 0; i < a.size; i++) {
        if (ascii_lower(a.data[i]) != ascii_lower(b.data[i])) {
            return false;
        }
    }
    return true;
}

struct bytes reader_bytes(struct reader *reader, size_t size) {
    if (reader->failed || size > reader_left(reader)) {
        reader->failed = true;
        /* A reader that has failed has no bytes left, so that a loop until its end ends. */
        reader->next = reader->end;
        return bytes_of(NULL, 0);
    }
    struct bytes taken = bytes_of(reader->next, size);
    if (size > 0) { /* the reader of an empty view may stand at NULL */
        reader->next += size;
    }
    return taken;
}

static uint32_t read_big_endian(struct reader *reader, size_t size) {
    struct bytes field = reader_bytes(reader, size);
    uint32_t value = 0;
    for (size_t i = 0; i < field.size; i++) {
        value = value << 8 | field.data[i];
    }
    return value;
}

uint8_t reader_u8(struct reader *reader) {
    return (uint8_t)read_big_endian(reader, 1);
}

uint16_t reader_u16(struct reader *reader) {
    return (uint16_t)read_big_endian(reader, 2);
}

uint32_t reader_u32(struct reader *reader) {
    return read_big_endian(reader, 4);
}
