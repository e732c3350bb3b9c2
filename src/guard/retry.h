/*
 * Compares the second ClientHello of a handshake, which answers a HelloRetryRequest, with the first: both must be the same
 * but for a few things (RFC 8446 section 4.1.2). Of the first only digests are kept (base/hash.h: hash_init comes first).
 */
#ifndef GUARD_RETRY_H
#define GUARD_RETRY_H

#include "guard/offer.h"

enum { RETRY_IDENTITY_WORDS = 8 };

/* The part of a first hello that is kept. */
struct retry {
    uint64_t digest;  /* of all that must not change, in whatever order the extensions come */
    uint64_t present; /* bit T: extension T is there, for T below 64 */
    /* A Bloom filter over the pre-shared keys' identities: the second hello may leave some out, and bring no other. */
    uint64_t identities[RETRY_IDENTITY_WORDS];
};

/* Reads a first hello; `body` is what follows its handshake header. False when it is malformed; `retry` is then undefined.
 */
bool retry_keep(struct retry *retry, struct bytes body);

/*
 * Reads the body of the second hello as hello_parse reads the first one's, and compares it with the first. `group` is the
 * one that the HelloRetryRequest asks a key share of. True: the handshake may go on, and `hello` is filled. False: `alert`
 * and `fault` of `hello` are.
 *
 * A hello without an extension that TLS 1.3 prescribes ends with missing_extension, any other difference with
 * illegal_parameter. The client may change padding, encrypted_client_hello, which a client that meant another server writes
 * anew, and the order of the extensions: the order means nothing, and wolfSSL's clients change it.
 */
bool retry_check(const struct retry *retry, struct bytes body, uint16_t group, struct hello *hello);

#endif
