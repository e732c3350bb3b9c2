/*
 * A certificate that is used and not judged. Its key and its dates are found by their places alone, whatever the rest says.
 * TLS needs no more of the client's leaf, nor of a server's own certificate: path/path.h judges the one, and clients judge
 * the other. In a certificate that certificate_read accepts, leaf_read finds the same key.
 */
#ifndef X509_LEAF_H
#define X509_LEAF_H

#include "x509/certificate.h"

/*
 * Fills der, spki, key_algorithm and key of `leaf`, and empties the rest; `*validity` is the content of its Validity. All
 * are views of `der`. False when these places cannot be found: then `der` is no certificate by any reading of DER.
 */
bool leaf_read(struct bytes der, struct certificate *leaf, struct bytes *validity);

#endif
