/*
 * Numbers between the wire and crypto_mb or BoringSSL, which want words of 64 bits, the lowest first. No function's time
 * depends on the digits of its numbers.
 */
#ifndef CRYPTO_LANES_NUMBER_H
#define CRYPTO_LANES_NUMBER_H

#include "base/bytes.h"

/* crypto_mb's type of 64 bits. */
typedef unsigned long long lanes_word;

enum { LANES_WORD_SIZE = sizeof(lanes_word) };

/* Reads a big-endian number. False, and zero, when it has more bytes than `count` words. */
bool lanes_number_read(lanes_word *number, size_t count, struct bytes big_endian);
/* Writes `count` words as big-endian bytes. */
void lanes_number_write(uint8_t *big_endian, const lanes_word *number, size_t count);

bool lanes_number_is_zero(const lanes_word *number, size_t count);
bool lanes_number_is_less(const lanes_word *a, const lanes_word *b, size_t count);
/* Writes a sum, which may be where a or b is. Returns what is carried from the highest word: 1 or 0. */
lanes_word lanes_number_add(lanes_word *sum, const lanes_word *a, const lanes_word *b, size_t count);
/* Takes `modulus` away once, where the number is not less. */
void lanes_number_reduce_once(lanes_word *number, const lanes_word *modulus, size_t count);

#endif
