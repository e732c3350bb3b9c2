/*
 * Memory of malloc's for what is taken and given back all the time in few sizes: each thread keeps some blocks of each size
 * for itself, more than malloc does. The blocks are malloc's own: free and realloc take them, and any thread may give back
 * what another has taken. Content is neither zeroed nor wiped. Under the sanitizers nothing is kept: they see each end.
 */
#ifndef BASE_RECYCLER_H
#define BASE_RECYCLER_H

#include <stddef.h>

enum {
    RECYCLER_SIZE_MAX = 2304,        /* larger blocks are not kept */
    RECYCLER_KEPT_MAX = 32,          /* blocks of a size, by thread */
    RECYCLER_BYTES_MAX = 512 * 1024, /* in all, by thread */
};

/* As malloc. */
void *recycler_take(size_t size);
/* As free. NULL is allowed. */
void recycler_give(void *block);
/* Frees what the calling thread keeps. For a thread that ends; it may go on to take and give. */
void recycler_empty(void);

#endif
