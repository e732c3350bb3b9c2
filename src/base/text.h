/* Text built in memory of fixed size. An append that does not fit is left out whole, and `overflow` says so. */
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
/* Appends lower-case hex without separators. */
void text_append_hex(struct text *text, struct bytes bytes);
/* Appends base64 (RFC 4648 section 4), padded, without line breaks. */
void text_append_base64(struct text *text, struct bytes bytes);
/* Appends a time as RFC 3339 has it, 2026-11-24T02:26:00Z. `seconds` are since the epoch, years 0 to 9999. */
void text_append_time(struct text *text, int64_t seconds);
/* Appends a JSON string with its quotes (base/json.h). */
void text_append_json(struct text *text, struct bytes bytes);
/* Writes control bytes (below 0x20, 0x7f) and '%' as %XX in upper case: the contract's rule for header values. */
void text_append_header_value(struct text *text, struct bytes bytes);

#endif
