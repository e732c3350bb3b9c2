/* Builds text in a buffer of fixed size. What does not fit is left out whole, and `overflow` says so. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/bytes.h"

#include <stdarg.h>

struct text {
    char *data;      /* owned by the caller; not NUL-terminated */
    size_t size;     /* bytes written */
    size_t capacity; /* bytes that fit */
    bool overflow;   /* an append did not fit; it and all after it were left out */
};

static inline struct text text_over(void *buffer, size_t capacity) {
    return (struct text){(char *)buffer, 0, capacity, false};
}

static inline struct bytes text_bytes(const struct text *text) {
    return bytes_of(text->data, text->size);
}

void text_append(struct text *text, const void *data, size_t size);
void text_append_bytes(struct text *text, struct bytes bytes);
void text_append_string(struct text *text, const char *string);
void text_append_char(struct text *text, char c);
/* Needs one byte of room more than it adds, for vsnprintf's NUL. */
void text_append_format(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Lower-case hex, no separators. */
void text_append_hex(struct text *text, struct bytes bytes);
/* RFC 4648 section 4, padded, no line breaks. */
void text_append_base64(struct text *text, struct bytes bytes);
/* RFC 3339 in UTC, seconds, as 2026-11-24T02:26:00Z. `seconds` since the epoch, years 0 to 9999. */
void text_append_time(struct text *text, int64_t seconds);
/*
 * Bytes of the well-formed UTF-8 sequence at the front of `bytes`, which is not empty: 1 to 4 (RFC 3629). Or 0 when there
 * is none; then the first *skip bytes, 1 to 3, are what one U+FFFD stands for.
 */
size_t text_utf8_size(struct bytes bytes, size_t *skip);
#define TEXT_REPLACEMENT "\xef\xbf\xbd"
/* A JSON string with its quotes (RFC 8259); bytes that are not UTF-8 become U+FFFD. */
void text_append_json(struct text *text, struct bytes bytes);
/* Control bytes (below 0x20, 0x7f) and '%' as %XX in upper case: the contract's rule for header values. */
void text_append_header_value(struct text *text, struct bytes bytes);

#endif
