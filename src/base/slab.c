#include "base/slab.h"

#include "base/check.h"
#include "base/sanitizers.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#endif

enum { ALIGNMENT = 64, LINK_SIZE = sizeof(uint32_t) };

#define LIMIT_MAX (UINT32_C(1) << 31)

static void poison(void *object, size_t size) {
#ifdef WITH_ASAN
    __asan_poison_memory_region(object, size);
#endif
}

static void unpoison(void *object, size_t size) {
#ifdef WITH_ASAN
    __asan_unpoison_memory_region(object, size);
#endif
}

/* Tells whether an object was given back already, in a build with ASan; false in others, which cannot tell. */
static bool was_given(const struct slab *slab, const uint8_t *object) {
#ifdef WITH_ASAN
    return __asan_address_is_poisoned(object + slab->object_size - 1) != 0;
#else
    return false;
#endif
}

int slab_create(struct slab *slab, size_t object_size, uint32_t limit) {
    CHECK(object_size > 0 && limit > 0 && limit <= LIMIT_MAX);
    size_t rounded;
    if (__builtin_add_overflow(object_size, ALIGNMENT - 1, &rounded)) {
        return -ENOMEM;
    }
    rounded -= rounded % ALIGNMENT;
    size_t size;
    if (__builtin_mul_overflow(rounded, (size_t)limit, &size)) {
        return -ENOMEM;
    }
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) {
        return -ENOMEM;
    }
    *slab = (struct slab){.base = base, .object_size = rounded, .limit = limit, .free_head = SLAB_NONE};
    return 0;
}

void slab_destroy(struct slab *slab) {
    if (slab->base == NULL) {
        return;
    }
    /* The next user of these addresses must not find them poisoned. */
    unpoison(slab->base, slab->object_size * slab->touched);
    CHECK(munmap(slab->base, slab->object_size * slab->limit) == 0);
    *slab = (struct slab){.free_head = SLAB_NONE};
}

void *slab_take(struct slab *slab) {
    uint32_t index = slab->free_head;
    uint8_t *object;
    if (index != SLAB_NONE) {
        object = slab_at(slab, index);
        memcpy(&slab->free_head, object, LINK_SIZE);
        unpoison(object, slab->object_size);
    } else if (slab->touched < slab->limit) {
        object = slab->base + slab->object_size * slab->touched;
        slab->touched++;
    } else {
        return NULL;
    }
    slab->in_use++;
    return object;
}

void slab_give(struct slab *slab, void *object) {
    uint32_t index = slab_index(slab, object);
    CHECK(slab->in_use > 0 && !was_given(slab, object));
    memcpy(object, &slab->free_head, LINK_SIZE);
    poison((uint8_t *)object + LINK_SIZE, slab->object_size - LINK_SIZE);
    slab->free_head = index;
    slab->in_use--;
}

uint32_t slab_index(const struct slab *slab, const void *object) {
    size_t offset = (size_t)((const uint8_t *)object - slab->base);
    size_t index = offset / slab->object_size;
    CHECK((const uint8_t *)object >= slab->base && index < slab->touched && offset % slab->object_size == 0);
    return (uint32_t)index;
}

void *slab_at(const struct slab *slab, uint32_t index) {
    CHECK(index < slab->touched);
    return slab->base + slab->object_size * index;
}
