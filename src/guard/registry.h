/* The numbers of TLS (IANA's TLS parameters) that the guard knows, and which of them this server has. */
#ifndef GUARD_REGISTRY_H
#define GUARD_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum extension_type {
    EXTENSION_SERVER_NAME = 0,             /* RFC 6066 */
    EXTENSION_MAX_FRAGMENT_LENGTH = 1,     /* RFC 6066 */
    EXTENSION_SUPPORTED_GROUPS = 10,       /* RFC 8422, RFC 8446 */
    EXTENSION_EC_POINT_FORMATS = 11,       /* RFC 8422 */
    EXTENSION_SIGNATURE_ALGORITHMS = 13,   /* RFC 8446 */
    EXTENSION_ALPN = 16,                   /* RFC 7301 */
    EXTENSION_PADDING = 21,                /* RFC 7685 */
    EXTENSION_ENCRYPT_THEN_MAC = 22,       /* RFC 7366 */
    EXTENSION_EXTENDED_MASTER_SECRET = 23, /* RFC 7627 */
    EXTENSION_RECORD_SIZE_LIMIT = 28,      /* RFC 8449 */
    EXTENSION_SESSION_TICKET = 35,         /* RFC 5077 */
    EXTENSION_PRE_SHARED_KEY = 41,         /* this and what follows: RFC 8446 */
    EXTENSION_EARLY_DATA = 42,
    EXTENSION_SUPPORTED_VERSIONS = 43,
    EXTENSION_COOKIE = 44,
    EXTENSION_PSK_KEY_EXCHANGE_MODES = 45,
    EXTENSION_SIGNATURE_ALGORITHMS_CERT = 50,
    EXTENSION_KEY_SHARE = 51,
    EXTENSION_TRACKED = 52,                    /* all above are below it */
    EXTENSION_ENCRYPTED_CLIENT_HELLO = 0xfe0d, /* RFC 9849 */
    EXTENSION_RENEGOTIATION_INFO = 0xff01,     /* RFC 5746 */
};

/* The use of a number to this server. Several may be or'ed together. */
enum registry_use {
    USE_SUITE_TLS13 = 1 << 0,
    USE_SUITE_ECDSA = 1 << 1,   /* TLS 1.2, with an ECDSA or Ed25519 key of the server */
    USE_SUITE_RSA = 1 << 2,     /* TLS 1.2, with an RSA key of the server */
    USE_GROUP = 1 << 3,         /* a curve, in either version */
    USE_FALLBACK_SCSV = 1 << 4, /* no suite: the client says that it tries again with a lower version (RFC 7507) */
    USE_CURVE_P256 = 1 << 5,    /* this and the next: TLS 1.2, with a key of the server on that curve */
    USE_CURVE_P384 = 1 << 6,
    USE_GROUP_HYBRID = 1 << 7, /* a curve and ML-KEM together, in TLS 1.3 */
};

/* The signature schemes that this server has. Several may be or'ed together. */
enum registry_scheme {
    SCHEME_ECDSA_SHA256 = 1 << 0, /* this and the next two: in TLS 1.3, on the curve of that size */
    SCHEME_ECDSA_SHA384 = 1 << 1,
    SCHEME_ECDSA_SHA512 = 1 << 2,
    SCHEME_ED25519 = 1 << 3,
    SCHEME_PSS_SHA256 = 1 << 4,
    SCHEME_PSS_SHA384 = 1 << 5,
    SCHEME_PSS_SHA512 = 1 << 6,
    SCHEME_PKCS1_SHA256 = 1 << 7, /* this and the next two: in TLS 1.3, of certificates only */
    SCHEME_PKCS1_SHA384 = 1 << 8,
    SCHEME_PKCS1_SHA512 = 1 << 9,
    SCHEME_OTHER = 1 << 10, /* of a certificate: none of these */

    SCHEMES_ECDSA = SCHEME_ECDSA_SHA256 | SCHEME_ECDSA_SHA384 | SCHEME_ECDSA_SHA512,
    SCHEMES_PSS = SCHEME_PSS_SHA256 | SCHEME_PSS_SHA384 | SCHEME_PSS_SHA512,
    SCHEMES_PKCS1 = SCHEME_PKCS1_SHA256 | SCHEME_PKCS1_SHA384 | SCHEME_PKCS1_SHA512,
};

/* The keys that a certificate of this server may have. Several may be or'ed together. */
enum registry_key {
    SERVER_KEY_P256 = 1 << 0, /* ECDSA, as the next */
    SERVER_KEY_P384 = 1 << 1,
    SERVER_KEY_ED25519 = 1 << 2,
    SERVER_KEY_RSA = 1 << 3,
};

/* Return bits of enum registry_use; 0 for a number that this server does not have. */
unsigned registry_suite_use(uint16_t suite);
unsigned registry_group_use(uint16_t group);

/* Return bits of enum registry_scheme, of a scheme for handshakes and of one for certificates; 0 for any other. */
unsigned registry_scheme(uint16_t scheme);
unsigned registry_chain_scheme(uint16_t scheme);

/* Returns the bytes of a key share of a group that this server has; 0 for others. A share that begins with a point of a NIST
 * curve, which is an uncompressed one, has an odd size. */
size_t registry_key_share_size(uint16_t group);

#endif
