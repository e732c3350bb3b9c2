/* Numbers in decimal, where printf is too slow or has no format for them. */
#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

enum {
    DECIMAL_DIGITS_MAX = 20, /* of 2^64 - 1 */
    DECIMAL_SECONDS_SIZE = 32,
};

/* Writes the digits of `value`, which end at `end`, and returns where they begin: at most DECIMAL_DIGITS_MAX before it. */
char *decimal_write(char *end, uint64_t value);
/* Writes nanoseconds as decimal seconds without trailing zeros, NUL-terminated: "0.00001", "60". */
void decimal_write_seconds(char out[static DECIMAL_SECONDS_SIZE], uint64_t ns);

#endif
