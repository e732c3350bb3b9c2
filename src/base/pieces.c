#include "base/pieces.h"

#include "base/check.h"

#include <errno.h>

static struct slab *class_of(struct pieces *pieces, size_t size) {
    CHECK(size >= 1 && size <= PIECES_SIZE_MAX);
    struct slab *slab = pieces->classes;
    for (size_t fits = PIECES_SIZE_MIN; fits < size; fits *= 2) {
        slab++;
    }
    return slab;
}

int pieces_create(struct pieces *pieces, uint32_t limit) {
    for (size_t i = 0; i < PIECES_CLASSES; i++) {
        if (slab_create(&pieces->classes[i], (size_t)PIECES_SIZE_MIN << i, limit) < 0) {
            while (i-- > 0) {
                slab_destroy(&pieces->classes[i]);
            }
            return -ENOMEM;
        }
    }
    return 0;
}

void pieces_destroy(struct pieces *pieces) {
    for (size_t i = 0; i < PIECES_CLASSES; i++) {
        slab_destroy(&pieces->classes[i]);
    }
}

void *pieces_take(struct pieces *pieces, size_t size) {
    return slab_take(class_of(pieces, size));
}

size_t pieces_fitting(struct pieces *pieces, size_t size) {
    return class_of(pieces, size)->object_size;
}

void pieces_give(struct pieces *pieces, void *piece, size_t size) {
    slab_give(class_of(pieces, size), piece);
}

uint32_t pieces_in_use(const struct pieces *pieces) {
    uint32_t in_use = 0;
    for (size_t i = 0; i < PIECES_CLASSES; i++) {
        in_use += pieces->classes[i].in_use;
    }
    return in_use;
}
