#include "base/text.h"

#include "base/calendar.h"
#include "base/check.h"
#include "base/json.h"

#include <stdio.h>

void text_append(struct text *text, const void *data, size_t size) {
    if (text->overflow || size > text->capacity - text->size) {
        text->overflow = true;
        return;
    }
    if (size > 0) { /* an empty view may be at NULL */
        memcpy(text->data + text->size, data, size);
        text->size += size;
    }
}

void text_append_bytes(struct text *text, struct bytes bytes) {
    text_append(text, bytes.data, bytes.size);
}

void text_append_string(struct text *text, const char *string) {
    text_append(text, string, strlen(string));
}

void text_append_char(struct text *text, char c) {
    text_append(text, &c, 1);
}

void text_append_format(struct text *text, const char *format, ...) {
    if (text->overflow) {
        return;
    }
    size_t room = text->capacity - text->size;
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(room > 0 ? text->data + text->size : NULL, room, format, arguments);
    va_end(arguments);
    CHECK(size >= 0);
    if ((size_t)size >= room) {
        text->overflow = size > 0;
        return;
    }
    text->size += (size_t)size;
}

/* Takes back the pieces that one append has written since `start`, if a piece did not fit. */
static void keep_whole(struct text *text, size_t start) {
    if (text->overflow) {
        text->size = start;
    }
}

void text_append_hex(struct text *text, struct bytes bytes) {
    static const char digits[] = "0123456789abcdef";
    size_t start = text->size;
    for (size_t i = 0; i < bytes.size && !text->overflow; i++) {
        char pair[2] = {digits[bytes.data[i] >> 4], digits[bytes.data[i] & 15]};
        text_append(text, pair, sizeof pair);
    }
    keep_whole(text, start);
}

void text_append_base64(struct text *text, struct bytes bytes) {
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t start = text->size;
    for (size_t i = 0; i < bytes.size && !text->overflow; i += 3) {
        size_t left = bytes.size - i;
        uint32_t group = (uint32_t)bytes.data[i] << 16;
        group |= left > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0;
        group |= left > 2 ? bytes.data[i + 2] : 0;
        char quad[4] = {
            alphabet[group >> 18],
            alphabet[group >> 12 & 63],
            left > 1 ? alphabet[group >> 6 & 63] : '=',
            left > 2 ? alphabet[group & 63] : '=',
        };
        text_append(text, quad, sizeof quad);
    }
    keep_whole(text, start);
}

void text_append_time(struct text *text, int64_t seconds) {
    struct calendar time = calendar_of(seconds);
    char digits[80];
    int size = snprintf(digits, sizeof digits, "%04u-%02u-%02uT%02u:%02u:%02uZ", time.year, time.month, time.day, time.hour,
                        time.minute, time.second);
    text_append(text, digits, (size_t)size);
}

void text_append_json(struct text *text, struct bytes bytes) {
    size_t start = text->size;
    text_append_char(text, '"');
    while (bytes.size > 0 && !text->overflow) {
        char escape[JSON_ESCAPE_SIZE];
        text_append_bytes(text, json_next_piece(&bytes, escape));
    }
    text_append_char(text, '"');
    keep_whole(text, start);
}

void text_append_header_value(struct text *text, struct bytes bytes) {
    static const char digits[] = "0123456789ABCDEF";
    size_t start = text->size;
    for (size_t i = 0; i < bytes.size && !text->overflow; i++) {
        uint8_t c = bytes.data[i];
        if (c < 0x20 || c == 0x7f || c == '%') {
            char escape[3] = {'%', digits[c >> 4], digits[c & 15]};
            text_append(text, escape, sizeof escape);
        } else {
            text_append_char(text, (char)c);
        }
    }
    keep_whole(text, start);
}
