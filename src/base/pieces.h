/*
 * Memory of various sizes for things of which each connection has at most a few: slabs for the powers of two. Pages are
 * backed when they are first used, and neither taking nor giving calls malloc. One thread only.
 */
#ifndef BASE_PIECES_H
#define BASE_PIECES_H

#include "base/slab.h"

enum {
    PIECES_SIZE_MIN = 256, /* bytes; a smaller piece takes as much */
    PIECES_CLASSES = 10,
    PIECES_SIZE_MAX = PIECES_SIZE_MIN << (PIECES_CLASSES - 1), /* 128 KiB */
};

struct pieces {
    struct slab classes[PIECES_CLASSES];
};

/* Reserves address space for `limit` pieces of each class, 1 to 2^24. 0, or -ENOMEM. */
int pieces_create(struct pieces *pieces, uint32_t limit);
/* Gives all memory back, also the pieces that are in use. */
void pieces_destroy(struct pieces *pieces);
/* Takes `size` bytes or more, 1 to PIECES_SIZE_MAX, with undefined content. NULL: `limit` of that class are in use. */
void *pieces_take(struct pieces *pieces, size_t size);
/* Returns the bytes of a piece that is taken for `size`. */
size_t pieces_fitting(struct pieces *pieces, size_t size);
/* Gives a piece back. `size` is the one that it was taken with, or pieces_fitting of that size. */
void pieces_give(struct pieces *pieces, void *piece, size_t size);
uint32_t pieces_in_use(const struct pieces *pieces);

#endif
