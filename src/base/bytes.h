/* Views of bytes that others own, and a reader that cannot leave its view. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A view. It owns nothing and has no NUL behind it. `data` may be NULL when `size` is 0. */
struct bytes {
    const uint8_t *data;
    size_t size;
};

static inline struct bytes bytes_of(const void *data, size_t size) {
    return (struct bytes){(const uint8_t *)data, size};
}

/* Returns the characters of a C string, without its NUL. */
static inline struct bytes bytes_of_string(const char *string) {
    return bytes_of(string, strlen(string));
}

static inline bool bytes_equal(struct bytes a, struct bytes b) {
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Compares as bytes_equal does, but takes ASCII letters of either case for the same. */
bool bytes_equal_ignoring_case(struct bytes a, struct bytes b);

/*
 * Reads big-endian fields from the front of a view. The first read past the end sets `failed`, and this read and all later
 * ones give zeros or empty views, so that one look at `failed` at the end is enough. A reader that has failed has no bytes
 * left.
 */
struct reader {
    const uint8_t *next;
    const uint8_t *end;
    bool failed;
};

static inline struct reader reader_of(struct bytes bytes) {
    return (struct reader){bytes.data, bytes.data == NULL ? NULL : bytes.data + bytes.size, false};
}

static inline size_t reader_left(const struct reader *reader) {
    return (size_t)(reader->end - reader->next);
}

/* Returns the next `size` bytes; an empty view, and `failed`, when fewer are left. */
struct bytes reader_bytes(struct reader *reader, size_t size);
uint8_t reader_u8(struct reader *reader);
uint16_t reader_u16(struct reader *reader);
uint32_t reader_u32(struct reader *reader);

#endif
