#include "base/array.h"

#include <stdlib.h>
#include <string.h>

bool array_reserve(void *array, size_t count, size_t item_size) {
    if ((count & (count - 1)) != 0) {
        return true;
    }
    size_t size;
    if (__builtin_mul_overflow(count == 0 ? 1 : count, count == 0 ? item_size : 2 * item_size, &size)) {
        return false;
    }
    void *items;
    memcpy(&items, array, sizeof items); /* a pointer of whatever type */
    items = realloc(items, size);
    if (items == NULL) {
        return false;
    }
    memcpy(array, &items, sizeof items);
    return true;
}
