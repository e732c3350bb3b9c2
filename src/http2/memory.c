#include "http2/memory.h"

#include <malloc.h>
#include <stdlib.h>

void *http2_allocate(struct http2_memory *memory, size_t size) {
    void *block = malloc(size);
    memory->used += malloc_usable_size(block);
    return block;
}

void *http2_resize(struct http2_memory *memory, void *block, size_t size) {
    size_t had = malloc_usable_size(block);
    void *resized = realloc(block, size);
    if (resized != NULL) {
        memory->used += malloc_usable_size(resized) - had;
    }
    return resized;
}

void http2_release(struct http2_memory *memory, void *block) {
    memory->used -= malloc_usable_size(block);
    free(block);
}
