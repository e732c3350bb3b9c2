/* Arrays on the heap that grow one item at a time, for what is loaded at start or at a reload. */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Makes room for one item more in an array of `count` items of `item_size` bytes; the room doubles at powers of two, so
 * every item that is added must have come by this call. `array` is the address of the pointer to the first item, which is
 * NULL at first and may move. False when out of memory: the array is as it was.
 */
bool array_reserve(void *array, size_t count, size_t item_size);

#endif
