/*
 * The certificates that a CRL covers: its issuingDistributionPoint is held against the certificate's cRLDistributionPoints
 * (RFC 5280 section 6.3.3 (b)).
 */
#ifndef X509_DISTRIBUTION_POINT_H
#define X509_DISTRIBUTION_POINT_H

#include "x509/certificate.h"

struct distribution_scope {
    struct bytes names; /* GeneralNames one after the other, which have been read before; size 0: none */
    struct bytes name;  /* a whole Name, from one relative to the issuer; size 0: none */
    bool only_user_certificates;
    bool only_ca_certificates;
};

/*
 * Tells whether a CRL by the issuer of `certificate` with that scope covers the certificate. A scope without names covers
 * all points; of a scope with names, one must be a name of one of the certificate's points, or the issuer's own name. Points
 * for some reasons only, points of another CRL issuer and an extension that cannot be read match no scope.
 */
bool distribution_scope_covers(const struct distribution_scope *scope, const struct certificate *certificate);

/*
 * Writes the Name of which `rdn` (content of an RDN) is the last part below `issuer`, and returns its size; 0 when it does
 * not fit in `capacity` or is no valid Name.
 */
size_t distribution_point_join(struct bytes issuer, struct bytes rdn, uint8_t *out, size_t capacity);

#endif
