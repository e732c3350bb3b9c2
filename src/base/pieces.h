/*
 * Memory of various sizes for things that each connection has at most a few of: slabs for the powers of two. Nothing is
 * backed before it is first used, and taking and giving never call malloc. One thread only.
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
/* Gives all of it back, whatever is still in use. */
void pieces_destroy(struct pieces *pieces);
/* At least `size` bytes, 1 to PIECES_SIZE_MAX, with undefined content; NULL when `limit` of that class are in use. */
void *pieces_take(struct pieces *pieces, size_t size);
/* How many bytes a piece has that is taken for `size`. */
size_t pieces_fitting(struct pieces *pieces, size_t size);
/* `size` is what the piece was taken with, or what pieces_fitting says of that. */
void pieces_give(struct pieces *pieces, void *piece, size_t size);
uint32_t pieces_in_use(const struct pieces *pieces);

#endif
