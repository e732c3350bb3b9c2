/* Text in memory that grows, for documents that are written whole and then sent or printed. */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include "base/bytes.h"

/* Zeroed at first. */
struct buffer {
    char *data; /* malloc'd; the caller frees it, also after a failure */
    size_t size;
    size_t capacity;
    bool failed; /* out of memory: this append and all after it were left out */
};

void buffer_append(struct buffer *buffer, const void *data, size_t size);
void buffer_append_string(struct buffer *buffer, const char *string);

#endif
