#include "config/root_names.h"

#include "config/memory.h"
#include "x509/name.h"

#include <stdlib.h>

struct item {
    uint64_t hash; /* name_hash of the name */
    struct bytes name;
};

struct root_names {
    size_t count;
    struct item items[]; /* by hash; hosts often have roots in common, so that a name may come many times */
};

static int compare(const void *left, const void *right) {
    const struct item *a = left;
    const struct item *b = right;
    return (a->hash > b->hash) - (a->hash < b->hash);
}

struct root_names *root_names_create(const struct config *config) {
    size_t count = 0;
    for (size_t i = 0; i < config->host_count; i++) {
        const struct trust *trust = config->hosts[i].trust;
        count += trust == NULL ? 0 : trust_count(trust);
    }
    struct root_names *names = memory_allocate(1, sizeof *names + count * sizeof(struct item));
    for (size_t i = 0; i < config->host_count; i++) {
        const struct trust *trust = config->hosts[i].trust;
        for (size_t j = 0; trust != NULL && j < trust_count(trust); j++) {
            names->items[names->count++] =
                (struct item){.hash = trust_anchor(trust, j)->subject_hash, .name = trust_name(trust, j)};
        }
    }
    qsort(names->items, names->count, sizeof(struct item), compare);
    return names;
}

void root_names_free(struct root_names *names) {
    free(names);
}

/* Returns the first item whose hash is not below `hash`. */
static size_t find_first(const struct root_names *names, uint64_t hash) {
    size_t low = 0;
    size_t high = names->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (names->items[middle].hash < hash) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool root_names_has(const struct root_names *names, struct bytes name) {
    uint64_t hash = name_hash(name);
    for (size_t i = find_first(names, hash); i < names->count && names->items[i].hash == hash; i++) {
        if (name_equal(names->items[i].name, name)) {
            return true;
        }
    }
    return false;
}
