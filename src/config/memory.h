/*
 * Memory for a snapshot, taken while it is loaded and never later. There is no error to return: a process that cannot
 * get a few kilobytes aborts, since a configuration that is half there must not be served.
 */
#ifndef CONFIG_MEMORY_H
#define CONFIG_MEMORY_H

#include <stddef.h>

/* `count` x `size` bytes of zeros; free() releases them. Aborts when out of memory. */
void *memory_allocate(size_t count, size_t size);
char *memory_copy_string(const char *string);

#endif
