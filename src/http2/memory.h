/* Memory from malloc that is counted: all that one session has, with what nghttp2 has for it. One thread only. */
#ifndef HTTP2_MEMORY_H
#define HTTP2_MEMORY_H

#include <stddef.h>

/* Zeroed at first. */
struct http2_memory {
    size_t used; /* bytes, as malloc_usable_size tells them */
};

/* As malloc, realloc and free do. The results belong to the same struct http2_memory until they are released. */
void *http2_allocate(struct http2_memory *memory, size_t size);
void *http2_resize(struct http2_memory *memory, void *block, size_t size);
void http2_release(struct http2_memory *memory, void *block);

#endif
