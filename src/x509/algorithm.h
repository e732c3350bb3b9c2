/* AlgorithmIdentifier (RFC 5280 section 4.1.1.2), which keys and signatures have. */
#ifndef X509_ALGORITHM_H
#define X509_ALGORITHM_H

#include "base/bytes.h"

struct algorithm {
    struct bytes oid;
    struct bytes parameters; /* a whole element; size 0: absent */
};

/* Reads one that is well-formed, whichever it is. */
bool algorithm_read(struct bytes *in, struct algorithm *algorithm);
bool algorithm_equal(const struct algorithm *a, const struct algorithm *b);

#endif
