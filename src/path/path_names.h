/*
 * The names of a chain as numbers: each is folded once, and compared once with one that it may match, however many
 * certificates have it and however many paths lead over it. So the work for names grows with the bytes of a chain alone.
 */
#ifndef PATH_PATH_NAMES_H
#define PATH_PATH_NAMES_H

#include "path/trust.h"

enum {
    PATH_NAMES_MAX = 32,             /* subject and issuer of each certificate */
    PATH_NAME_COMPARISONS_MAX = 128, /* of whole names; a chain needs one for each name, and one for each with the roots */
};

struct path_name {
    struct bytes name; /* the first that came; a view */
    uint64_t hash;     /* name_hash */
    size_t root;       /* the first root of that name, TRUST_NONE: there is none. After path_names_find_roots */
};

struct path_names {
    size_t count;
    unsigned comparisons; /* left */
    struct path_name names[PATH_NAMES_MAX];
};

void path_names_begin(struct path_names *names);
/*
 * Returns the number of `name`, which is valid: that of the first name that matches it. At most PATH_NAMES_MAX calls. When
 * no comparisons are left it counts as a name of its own, and no chain gains by that.
 */
uint8_t path_names_add(struct path_names *names, struct bytes name);
/* Finds the roots of all names. `trust` lives as long as the roots that were found are used. */
void path_names_find_roots(struct path_names *names, const struct trust *trust);

#endif
