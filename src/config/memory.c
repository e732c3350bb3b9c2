#include "config/memory.h"

#include "base/ascii.h"
#include "base/check.h"

#include <stdlib.h>
#include <string.h>

void *memory_allocate(size_t count, size_t size) {
    void *memory = calloc(count, size);
    CHECK(memory != NULL);
    return memory;
}

char *memory_copy_string(const char *string) {
    size_t size = strlen(string) + 1;
    return memcpy(memory_allocate(1, size), string, size);
}

char *memory_copy_lower_case(const char *string) {
    char *copy = memory_copy_string(string);
    for (char *c = copy; *c != '\0'; c++) {
        *c = (char)ascii_lower((uint8_t)*c);
    }
    return copy;
}
