#include "http/removals.h"

#include "base/check.h"
#include "http/names.h"

#include <errno.h>
#include <stdlib.h>

enum { CAPACITY_START = 64 };

struct removal {
    uint8_t *name; /* NULL: the slot is free */
    size_t size;
};

/* Open addressing with linear probing, at most half full. */
struct http_removals {
    struct removal *slots;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
    /* Bit N of entry C: a name whose core has N bytes (63: or more) begins with C, folded. Most headers need no look-up. */
    uint64_t sizes_by_first[256];
    struct removal prefixes[HTTP_REMOVALS_PREFIXES_MAX];
    size_t prefix_count;
};

static uint64_t size_bit(size_t size) {
    return UINT64_C(1) << (size < 63 ? size : 63);
}

static struct bytes view(const struct removal *removal) {
    return bytes_of(removal->name, removal->size);
}

/* Returns the slot that holds `name`, or the free one where it belongs. */
static struct removal *find_slot(struct removal *slots, size_t capacity, struct bytes name) {
    size_t i = http_name_hash(name) & (capacity - 1);
    while (slots[i].name != NULL && !http_names_alike(name, view(&slots[i]))) {
        i = (i + 1) & (capacity - 1);
    }
    return &slots[i];
}

static int grow(struct http_removals *removals) {
    size_t capacity = removals->capacity == 0 ? CAPACITY_START : removals->capacity * 2;
    struct removal *slots = calloc(capacity, sizeof *slots);
    if (slots == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < removals->capacity; i++) {
        if (removals->slots[i].name != NULL) {
            *find_slot(slots, capacity, view(&removals->slots[i])) = removals->slots[i];
        }
    }
    free(removals->slots);
    removals->slots = slots;
    removals->capacity = capacity;
    return 0;
}

struct http_removals *http_removals_create(void) {
    return calloc(1, sizeof(struct http_removals));
}

static int copy(struct bytes name, struct removal *removal) {
    removal->name = malloc(name.size);
    if (removal->name == NULL) {
        return -ENOMEM;
    }
    memcpy(removal->name, name.data, name.size);
    removal->size = name.size;
    return 0;
}

int http_removals_add(struct http_removals *removals, struct bytes name) {
    CHECK(name.size > 0);
    if (removals->count * 2 >= removals->capacity && grow(removals) != 0) {
        return -ENOMEM;
    }
    struct removal *slot = find_slot(removals->slots, removals->capacity, name);
    if (slot->name != NULL) {
        return 0;
    }
    if (copy(name, slot) != 0) {
        return -ENOMEM;
    }
    struct bytes core = http_name_core(name);
    removals->count++;
    removals->sizes_by_first[http_name_fold(core.data[0])] |= size_bit(core.size);
    return 0;
}

int http_removals_add_own(struct http_removals *removals) {
    int error = 0;
    for (size_t i = 0; i < http_own_name_count() && error == 0; i++) {
        error = http_removals_add(removals, bytes_of_string(http_own_name(i)));
    }
    return error;
}

int http_removals_add_prefix(struct http_removals *removals, struct bytes prefix) {
    CHECK(prefix.size > 0 && removals->prefix_count < HTTP_REMOVALS_PREFIXES_MAX);
    if (copy(prefix, &removals->prefixes[removals->prefix_count]) != 0) {
        return -ENOMEM;
    }
    removals->prefix_count++;
    return 0;
}

static bool has_name(const struct http_removals *removals, struct bytes name) {
    struct bytes core = http_name_core(name);
    return core.size > 0 && (removals->sizes_by_first[http_name_fold(core.data[0])] & size_bit(core.size)) != 0 &&
           find_slot(removals->slots, removals->capacity, name)->name != NULL;
}

bool http_removals_has(const struct http_removals *removals, struct bytes name) {
    for (size_t i = 0; i < removals->prefix_count; i++) {
        if (http_name_begins(name, view(&removals->prefixes[i]))) {
            return true;
        }
    }
    return has_name(removals, name);
}

void http_removals_free(struct http_removals *removals) {
    if (removals == NULL) {
        return;
    }
    for (size_t i = 0; i < removals->capacity; i++) {
        free(removals->slots[i].name);
    }
    for (size_t i = 0; i < removals->prefix_count; i++) {
        free(removals->prefixes[i].name);
    }
    free(removals->slots);
    free(removals);
}
