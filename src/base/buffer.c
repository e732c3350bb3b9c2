#include "base/buffer.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 64 * 1024 };

static bool reserve(struct buffer *buffer, size_t size) {
    if (buffer->failed) {
        return false;
    }
    if (size <= buffer->capacity - buffer->size) {
        return true;
    }
    size_t capacity = buffer->capacity > 0 ? buffer->capacity : FIRST_CAPACITY;
    while (capacity - buffer->size < size) {
        if (__builtin_mul_overflow(capacity, (size_t)2, &capacity)) {
            buffer->failed = true;
            return false;
        }
    }
    char *grown = realloc(buffer->data, capacity);
    if (grown == NULL) {
        buffer->failed = true;
        return false;
    }
    buffer->data = grown;
    buffer->capacity = capacity;
    return true;
}

void buffer_append(struct buffer *buffer, const void *data, size_t size) {
    if (size > 0 && reserve(buffer, size)) { /* an empty view may be at NULL */
        memcpy(buffer->data + buffer->size, data, size);
        buffer->size += size;
    }
}

void buffer_append_string(struct buffer *buffer, const char *string) {
    buffer_append(buffer, string, strlen(string));
}
