/*
 * The ends of all that a host judges by, its roots and its revocation lists, under the names that the operator knows
 * (RFC 4514).
 */
#ifndef PATH_TERMS_H
#define PATH_TERMS_H

#include "base/term.h"
#include "path/revocation.h"
#include "path/trust.h"

struct terms {
    struct term *items; /* the earliest end first; names are owned */
    size_t count;
};

/* Lists a term for each root, with subject and notAfter. `trust` may be NULL. 0, or -ENOMEM and there are none. */
int terms_of_roots(struct terms *terms, const struct trust *trust);

/*
 * Lists a term for each issuer of lists, with the earliest nextUpdate of its lists: of several distribution points that of
 * the first that ends. A list that a newer one of the same issuer, key identifier and scope has replaced at `now_s`, or will
 * replace without a gap, does not count. `revocation` may be NULL. 0, or -ENOMEM and there are none.
 */
int terms_of_lists(struct terms *terms, const struct revocation *revocation, int64_t now_s);

/*
 * Lists a term for each certificate beside the lists that may sign them in its CA's name, with subject and notAfter;
 * delegates that are roots too are left out. Both may be NULL. 0, or -ENOMEM and there are none.
 */
int terms_of_delegates(struct terms *terms, const struct revocation *revocation, const struct trust *trust);

void terms_free(struct terms *terms);

#endif
