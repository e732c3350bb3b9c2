/* Memory in cache lines of its own, so that no two shards write to the same one. */
#ifndef STATS_LINES_H
#define STATS_LINES_H

#include <stddef.h>

enum { LINES_SIZE = 64 };

/* `count` zeroed objects, of which each starts a line when its size is whole lines; free() them. NULL when out of memory. */
void *lines_allocate(size_t count, size_t object_size);

#endif
