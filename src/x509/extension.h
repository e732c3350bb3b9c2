/* Extensions of certificates and of CRLs (RFC 5280 sections 4.2 and 5.2), one at a time. */
#ifndef X509_EXTENSION_H
#define X509_EXTENSION_H

#include "base/bytes.h"

struct extension {
    struct bytes oid;
    struct bytes value; /* content of the OCTET STRING */
    bool critical;
};

/* Reads one that is well-formed, whatever its value is. */
bool extension_read(struct bytes *in, struct extension *extension);
/* Tells whether one of the first `count` of `extensions`, which have been read before, has that OID. */
bool extension_occurred_before(struct bytes extensions, size_t count, struct bytes oid);
/* Reads the value of an AuthorityKeyIdentifier; `*key` is empty when it names no key identifier. */
bool extension_read_authority_key(struct bytes value, struct bytes *key);

#endif
