/*
 * The NIST curves: their numbers, and how scalars, points and digests are read. For ECDH, for ECDSA, and for the choice of
 * nonces.
 */
#ifndef CRYPTO_LANES_CURVE_H
#define CRYPTO_LANES_CURVE_H

#include "crypto/lanes.h"
#include "crypto/lanes_number.h"

enum {
    LANES_CURVE_WORDS_MAX = LANES_EC_SIZE_MAX / LANES_WORD_SIZE,
    LANES_CURVE_UNCOMPRESSED = 4, /* the first octet of such a point */
};

struct lanes_curve_numbers {
    size_t size; /* bytes of a coordinate, and of a number modulo the order */
    size_t words;
    lanes_word prime[LANES_CURVE_WORDS_MAX];
    lanes_word order[LANES_CURVE_WORDS_MAX];
};

const struct lanes_curve_numbers *lanes_curve_numbers(enum lanes_curve curve);

/* Reads a number of at most the curve's size. Tells whether it is from 1 to the order less 1. */
bool lanes_curve_read_scalar(const struct lanes_curve_numbers *curve, lanes_word *scalar, struct bytes big_endian);

/* Reads an uncompressed point. Tells whether its coordinates are below the prime, but not whether it is on the curve. */
bool lanes_curve_read_point(const struct lanes_curve_numbers *curve, lanes_word *x, lanes_word *y, struct bytes point);

/*
 * Reads a digest's leftmost bits modulo the order (FIPS 186-5 section 6.4.2), which is one subtraction away. False when it
 * is empty, or all zeros.
 */
bool lanes_curve_read_digest(const struct lanes_curve_numbers *curve, lanes_word *number, struct bytes digest);

#endif
