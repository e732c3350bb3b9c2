/* The outer form that certificates and CRLs have in common: SIGNED{...} of X.509, RFC 5280 sections 4.1.1 and 5.1.1. */
#ifndef X509_SIGNED_H
#define X509_SIGNED_H

#include "x509/algorithm.h"

struct signed_parts {
    struct bytes tbs;     /* the signed part, whole */
    struct bytes content; /* of the SEQUENCE that is signed */
    struct algorithm algorithm;
    struct bytes signature; /* whole octets */
};

/* Takes the content of the outermost SEQUENCE apart. False: it does not have these parts, or it has others. */
bool signed_read(struct bytes content, struct signed_parts *parts);

#endif
