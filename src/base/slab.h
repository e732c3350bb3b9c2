/*
 * Objects of one size from one range of addresses. The range is reserved at creation, and backed by memory as objects are
 * first used; neither taking nor giving calls malloc. One thread only.
 */
#ifndef BASE_SLAB_H
#define BASE_SLAB_H

#include <stddef.h>
#include <stdint.h>

struct slab {
    uint8_t *base;
    size_t object_size; /* rounded up to 64 bytes: no two objects share a cache line */
    uint32_t limit;     /* objects at most */
    uint32_t touched;   /* objects ever handed out; those below it are backed by memory */
    uint32_t in_use;
    uint32_t free_head; /* index of the most recently given object, or SLAB_NONE */
};

#define SLAB_NONE UINT32_MAX

/* Reserves address space for `limit` (1 to 2^31) objects. 0, or -ENOMEM. */
int slab_create(struct slab *slab, size_t object_size, uint32_t limit);
/* Gives the whole range back, also the objects that are in use. */
void slab_destroy(struct slab *slab);
/* Takes an object with undefined content, NULL when `limit` are in use. The one that was given last is likely in cache. */
void *slab_take(struct slab *slab);
/* Gives `object` back, which is in use. Its first 4 bytes are overwritten; under ASan the rest is poisoned. */
void slab_give(struct slab *slab, void *object);
uint32_t slab_index(const struct slab *slab, const void *object);
/* Returns the object at an index below `touched`, in use or not. */
void *slab_at(const struct slab *slab, uint32_t index);

#endif
