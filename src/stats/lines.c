#include "stats/lines.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *lines_allocate(size_t count, size_t object_size) {
    size_t size;
    if (__builtin_mul_overflow(count, object_size, &size) || size > SIZE_MAX - LINES_SIZE) {
        return NULL;
    }
    size = (size + LINES_SIZE - 1) / LINES_SIZE * LINES_SIZE;
    void *memory = aligned_alloc(LINES_SIZE, size);
    if (memory != NULL) {
        memset(memory, 0, size);
    }
    return memory;
}
