#include "path/path_names.h"

#include "base/check.h"
#include "x509/name.h"

void path_names_begin(struct path_names *names) {
    names->count = 0;
    names->comparisons = PATH_NAME_COMPARISONS_MAX;
}

static bool match(struct path_names *names, struct bytes a, struct bytes b) {
    if (names->comparisons == 0) {
        return false;
    }
    names->comparisons--;
    return name_equal(a, b);
}

uint8_t path_names_add(struct path_names *names, struct bytes name) {
    uint64_t hash = name_hash(name);
    for (size_t i = 0; i < names->count; i++) {
        if (names->names[i].hash == hash && match(names, name, names->names[i].name)) {
            return (uint8_t)i;
        }
    }
    CHECK(names->count < PATH_NAMES_MAX);
    names->names[names->count] = (struct path_name){name, hash, TRUST_NONE};
    return (uint8_t)names->count++;
}

void path_names_find_roots(struct path_names *names, const struct trust *trust) {
    for (size_t i = 0; i < names->count; i++) {
        struct path_name *name = &names->names[i];
        size_t root = trust_first_with_hash(trust, name->hash, 0);
        while (root != TRUST_NONE && !match(names, name->name, trust_anchor(trust, root)->certificate.subject)) {
            root = trust_first_with_hash(trust, name->hash, root + 1);
        }
        name->root = root;
    }
}
