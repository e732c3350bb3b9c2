/*
 * ECDSA on P-256 (FIPS 186-5 section 6.4.2), one signature at a time, for keys that come back: most of a verification is the
 * doubling of the public key, whose results are the same each time and may be kept. `struct p256_multiples` is what to keep.
 * With it a verification takes half of wolfCrypt's time, and to make it takes the other half. For a key that need not come
 * back there is p256_verify_once, which takes nine tenths.
 *
 * Points are added and doubled by BoringSSL's functions for processors with BMI2 and ADX, in Montgomery's form.
 *
 * Nothing is secret here: time and addresses depend on all numbers. Nothing is allocated. Any thread may call.
 */
#ifndef CRYPTO_P256_H
#define CRYPTO_P256_H

#include "base/bytes.h"
#include "crypto/lanes_number.h"

enum {
    P256_WORDS = 4,
    P256_TEETH = 4,
    P256_SUMS = (1 << P256_TEETH) - 1,
};

struct p256_affine {
    lanes_word x[P256_WORDS];
    lanes_word y[P256_WORDS];
};

/*
 * A comb (Lim and Lee, "More Flexible Exponentiation with Precomputation", CRYPTO '94). Its teeth are the point's multiples
 * by 1, 2^64, 2^128 and 2^192, and sums[i - 1] is the sum of those whose bit in i is set. 960 bytes.
 */
struct p256_multiples {
    struct p256_affine sums[P256_SUMS];
};

/* Tells whether this processor can do what follows. Costs an instruction that is slow (CPUID). */
bool p256_supported(void);

/* Reads an uncompressed point (SEC 1 section 2.3.3). False where it is none, or is not on the curve: then it is no key. */
bool p256_read_key(struct p256_affine *key, struct bytes point);

/* Takes what p256_read_key has read. */
void p256_make_multiples(struct p256_multiples *multiples, const struct p256_affine *key);

/*
 * Tells whether (r, s) is a signature of the digest by the key with these multiples. Numbers are as those of struct
 * lanes_ecdsa_verify, and so is what is good.
 */
bool p256_verify(const struct p256_multiples *multiples, struct bytes digest, struct bytes r, struct bytes s);
/* Tells the same without any multiples. Takes what p256_read_key has read. */
bool p256_verify_once(const struct p256_affine *key, struct bytes digest, struct bytes r, struct bytes s);

#endif
