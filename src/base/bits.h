/* A set of numbers below BITS_MAX, with a bit for each: a value that is copied as it is. */
#ifndef BASE_BITS_H
#define BASE_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BITS_MAX = 1024,
    BITS_WORDS = BITS_MAX / 64,
};

/* Zeroed, it is empty. */
struct bits {
    uint64_t words[BITS_WORDS]; /* number n is bit n % 64 of word n / 64 */
};

/* Returns the bit of a number within its word. */
static inline uint64_t bits_mask(size_t number) {
    return UINT64_C(1) << number % 64;
}

static inline bool bits_has(const struct bits *bits, size_t number) {
    return (bits->words[number / 64] & bits_mask(number)) != 0;
}

static inline void bits_add(struct bits *bits, size_t number) {
    bits->words[number / 64] |= bits_mask(number);
}

static inline void bits_remove(struct bits *bits, size_t number) {
    bits->words[number / 64] &= ~bits_mask(number);
}

/* Have `bits` lose what `other` does not have; and lose what it has. */
void bits_keep(struct bits *bits, const struct bits *other);
void bits_take_out(struct bits *bits, const struct bits *other);

size_t bits_count(const struct bits *bits);
/* Returns the lowest number at or above `from`, or BITS_MAX: there is none. */
size_t bits_next(const struct bits *bits, size_t from);

#endif
