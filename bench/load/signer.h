/*
 * ECDSA on P-256 for next to nothing: with one nonce for all signatures of a key, which leaves a multiplication for each (3
 * us where a signature costs 14). Two such
 * signatures reveal the key, so it is only for keys that guard nothing. The nonce comes from the key, so that what is signed
 * twice, in whatever process, is signed alike.
 */
#ifndef BENCH_LOAD_SIGNER_H
#define BENCH_LOAD_SIGNER_H

#include "base/bytes.h"

enum {
    SIGNER_HASH_SIZE = 32,
    SIGNER_HALF_SIZE = 32,
    SIGNER_DER_MAX = 72,
};

/* malloc'd. */
struct signer;

/* `der`: a P-256 key as SEC 1 or PKCS #8 has it. NULL when it is none, or memory is short. */
struct signer *signer_create(struct bytes der);
/* NULL is allowed. */
void signer_free(struct signer *signer);
/* The halves of a signature, as they are; both below 2^255, and the first one at least 2^248. */
void signer_sign(struct signer *signer, const uint8_t hash[static SIGNER_HASH_SIZE], uint8_t r[static SIGNER_HALF_SIZE],
                 uint8_t s[static SIGNER_HALF_SIZE]);
/* As TLS and X.509 have it (RFC 3279 section 2.2.3). Returns its size. */
size_t signer_encode(const uint8_t r[static SIGNER_HALF_SIZE], const uint8_t s[static SIGNER_HALF_SIZE],
                     uint8_t der[static SIGNER_DER_MAX]);

#endif
