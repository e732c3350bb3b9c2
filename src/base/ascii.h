/* Letters and digits of ASCII, whatever the locale is. */
#ifndef BASE_ASCII_H
#define BASE_ASCII_H

#include <stdbool.h>
#include <stdint.h>

static inline bool ascii_is_digit(uint8_t c) {
    return c >= '0' && c <= '9';
}

static inline bool ascii_is_upper(uint8_t c) {
    return c >= 'A' && c <= 'Z';
}

/* Returns `c` in lower case if it is a letter, else `c`. */
static inline uint8_t ascii_lower(uint8_t c) {
    return ascii_is_upper(c) ? c | 0x20 : c;
}

static inline bool ascii_is_alphanumeric(uint8_t c) {
    uint8_t folded = c | 0x20; /* the lower case of a letter; no other character becomes a letter by this */
    return (folded >= 'a' && folded <= 'z') || ascii_is_digit(c);
}

#endif
