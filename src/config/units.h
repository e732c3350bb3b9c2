/* Numbers as people write them in the file: 65536, 5s, 32KiB. No sign, no fraction, no white space, no other base. */
#ifndef CONFIG_UNITS_H
#define CONFIG_UNITS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    UNITS_TEXT_SIZE = 32,
    UNITS_SECOND_MS = 1000,
    UNITS_MINUTE_MS = 60 * UNITS_SECOND_MS,
    UNITS_HOUR_MS = 60 * UNITS_MINUTE_MS,
};

/* Reads decimal digits without a leading zero, 0 to 10^15. */
bool units_parse_number(const char *text, uint64_t *number);
/* Reads a number with ms, s, m, h or d behind it, or 0 alone: milliseconds, at most 10^15. */
bool units_parse_duration(const char *text, uint64_t *milliseconds);
/* Likewise, but whole seconds. */
bool units_parse_seconds(const char *text, uint64_t *seconds);
/* Reads a number, alone or with KiB, MiB or GiB behind it: bytes, at most 10^15. */
bool units_parse_size(const char *text, uint64_t *bytes);

/* Write a value so that it can be read again, with the largest unit that divides it; of durations in milliseconds h. */
void units_format_number(uint64_t number, char text[static UNITS_TEXT_SIZE]);
void units_format_duration(uint64_t milliseconds, char text[static UNITS_TEXT_SIZE]);
void units_format_seconds(uint64_t seconds, char text[static UNITS_TEXT_SIZE]);
void units_format_size(uint64_t bytes, char text[static UNITS_TEXT_SIZE]);

#endif
