#include "base/bits.h"

void bits_keep(struct bits *bits, const struct bits *other) {
    for (size_t i = 0; i < BITS_WORDS; i++) {
        bits->words[i] &= other->words[i];
    }
}

void bits_take_out(struct bits *bits, const struct bits *other) {
    for (size_t i = 0; i < BITS_WORDS; i++) {
        bits->words[i] &= ~other->words[i];
    }
}

size_t bits_count(const struct bits *bits) {
    size_t count = 0;
    for (size_t i = 0; i < BITS_WORDS; i++) {
        count += (size_t)__builtin_popcountll(bits->words[i]);
    }
    return count;
}

size_t bits_next(const struct bits *bits, size_t from) {
    while (from < BITS_MAX) {
        uint64_t rest = bits->words[from / 64] >> from % 64;
        if (rest != 0) {
            return from + (size_t)__builtin_ctzll(rest);
        }
        from += 64 - from % 64;
    }
    return BITS_MAX;
}
