/*
 * Memory for a snapshot, allocated while the snapshot is loaded and never later. There is no error to return: a process that
 * cannot get a few kilobytes aborts, since half a configuration must not be served.
 */
#ifndef CONFIG_MEMORY_H
#define CONFIG_MEMORY_H

#include <stddef.h>

/* `count` x `size` bytes of zeros; free() releases them. Aborts when out of memory. */
void *memory_allocate(size_t count, size_t size);
char *memory_copy_string(const char *string);
/* Likewise, with the letters of ASCII in lower case. */
char *memory_copy_lower_case(const char *string);

#endif
