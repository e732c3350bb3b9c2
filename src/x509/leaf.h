/*
 * A certificate that is used and not judged: found in it by their places alone, whatever the rest of it says, are its key
 * and its dates. TLS needs no more of the client's leaf, nor of a server's own: whether the one is any good is said by
 * path.h, and of the other by the clients. Of a certificate that certificate_read accepts, both find the same key.
 */
#ifndef X509_LEAF_H
#define X509_LEAF_H

#include "x509/certificate.h"

/*
 * Fills der, spki, key_algorithm and key of `leaf`, and empties the rest; `*validity` is the content of its Validity. They
 * are views of `der`. False when these places cannot be found: it is no certificate by any reading of DER.
 */
bool leaf_read(struct bytes der, struct certificate *leaf, struct bytes *validity);

#endif
