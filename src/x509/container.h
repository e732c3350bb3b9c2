/*
 * The kind of thing that a file of keys or certificates holds, so that a message about a wrong file can say what it is and
 * how to make the right one of it. Files that were refused elsewhere are looked at here; none is judged.
 */
#ifndef X509_CONTAINER_H
#define X509_CONTAINER_H

#include "base/bytes.h"

/* Bits. */
enum container {
    CONTAINER_CERTIFICATE = 1u << 0,
    CONTAINER_KEY = 1u << 1,           /* PKCS #8, SEC 1 or PKCS #1, in the clear */
    CONTAINER_ENCRYPTED_KEY = 1u << 2, /* PKCS #8, or RFC 1421 around the older forms */
    CONTAINER_CRL = 1u << 3,
    CONTAINER_REQUEST = 1u << 4, /* PKCS #10 */
    CONTAINER_PUBLIC_KEY = 1u << 5,
    CONTAINER_PKCS7 = 1u << 6,
    CONTAINER_PKCS12 = 1u << 7,
    CONTAINER_OPENSSH_KEY = 1u << 8,
    CONTAINER_KEYSTORE = 1u << 9, /* of Java, in its own format */
    CONTAINER_TRUSTED = 1u << 10, /* OpenSSL's TRUSTED CERTIFICATE */
    CONTAINER_BINARY = 1u << 11,  /* beside one of the others: DER, not PEM */
};

/* Returns the kinds that are in the file: of PEM those of all blocks, as far as the file is PEM. 0: none that is known. */
unsigned container_read(struct bytes file);

#endif
