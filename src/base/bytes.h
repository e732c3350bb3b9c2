/* Bytes that belong to somebody else, and a reader that cannot leave them. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A view: never owns, never NUL-terminated. `data` may be NULL when `size` is 0. */
struct bytes {
    const uint8_t *data;
    size_t size;
};

static inline struct bytes bytes_of(const void *data, size_t size) {
    return (struct bytes){(const uint8_t *)data, size};
}

/* The characters of a C string, without its NUL. */
static inline struct bytes bytes_of_string(const char *string) {
    return bytes_of(string, strlen(string));
}

static inline bool bytes_equal(struct bytes a, struct bytes b) {
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* As bytes_equal, where ASCII letters of either case are the same. */
bool bytes_equal_ignoring_case(struct bytes a, struct bytes b);

/*
 * Reads big-endian fields from the front of a view. The first read past the end sets `failed`, yields zeros or
 * empty views from then on, and stays: check `failed` once at the end. Nothing is left of a reader that failed.
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

/* The next `size` bytes, or an empty view and `failed` when fewer are left. */
struct bytes reader_bytes(struct reader *reader, size_t size);
uint8_t reader_u8(struct reader *reader);
uint16_t reader_u16(struct reader *reader);
uint32_t reader_u32(struct reader *reader);

#endif
