/*
 * ECDSA on P-256 for next to nothing: with one nonce for all signatures of a signer, which leaves a multiplication for each
 * (3 us where a signature costs 14). Two such signatures reveal the key, so it is only for keys that guard nothing. The
 * nonce comes from the signer's first key, so that what is signed twice, in whatever process, is signed alike.
 */
#ifndef BENCH_LOAD_SIGNER_H
#define BENCH_LOAD_SIGNER_H

#include "base/bytes.h"

enum {
    SIGNER_HASH_SIZE = 32,
    SIGNER_HALF_SIZE = 32,
    SIGNER_KEY_SIZE = 32,
    SIGNER_POINT_SIZE = 64, /* both coordinates of a public key */
    SIGNER_DER_MAX = 72,
};

/* malloc'd. */
struct signer;

/* `der`: a P-256 key as SEC 1 or PKCS #8 has it. NULL when it is none, or memory is short. */
struct signer *signer_create(struct bytes der);
/* Has the signer sign by another key from now on, with the nonce that it has. The key is below the order, and not zero. */
void signer_take_key(struct signer *signer, const uint8_t private_key[static SIGNER_KEY_SIZE]);
/* The public key of a private one. */
void signer_find_point(const uint8_t private_key[static SIGNER_KEY_SIZE], uint8_t point[static SIGNER_POINT_SIZE]);
/* The private key that the signer was made with. */
const uint8_t *signer_key(const struct signer *signer);
/* NULL is allowed. */
void signer_free(struct signer *signer);
/* The halves of a signature, as they are; both below 2^255, and the first one at least 2^248. */
void signer_sign(struct signer *signer, const uint8_t hash[static SIGNER_HASH_SIZE], uint8_t r[static SIGNER_HALF_SIZE],
                 uint8_t s[static SIGNER_HALF_SIZE]);
/* As TLS and X.509 have it (RFC 3279 section 2.2.3). Returns its size. */
size_t signer_encode(const uint8_t r[static SIGNER_HALF_SIZE], const uint8_t s[static SIGNER_HALF_SIZE],
                     uint8_t der[static SIGNER_DER_MAX]);

#endif
