/* UTF-8 (RFC 3629): its characters read and written one at a time, and text cut where a character ends. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/bytes.h"

enum { UTF8_SIZE_MAX = 4 /* bytes of one character */ };

/* U+FFFD, which stands in text for bytes that are not UTF-8. */
#define UTF8_REPLACEMENT "\xef\xbf\xbd"

/*
 * Returns the bytes of the well-formed character at the front of `text`, which is not empty: 1 to 4. Returns 0 when there is
 * no such character; then one U+FFFD stands for the first *skip bytes, 1 to 3.
 */
size_t utf8_size(struct bytes text, size_t *skip);
/* Reads the character at the front of `*text`, which is not empty, and goes on behind it. False: it is not well-formed. */
bool utf8_read(struct bytes *text, uint32_t *character);
/* Writes a code point, U+0000 to U+10FFFF, and returns the bytes that it takes. */
size_t utf8_write(uint32_t character, uint8_t out[static UTF8_SIZE_MAX]);
/* Returns the longest part at the front of `text` that has at most `most` bytes and does not end within a character. */
struct bytes utf8_cut(struct bytes text, size_t most);

#endif
