#include "base/utf8.h"

#include "base/check.h"

/* By table 3-7 of Unicode 15: only the second byte's range depends on the first. */
size_t utf8_size(struct bytes text, size_t *skip) {
    CHECK(text.size > 0);
    uint8_t lead = text.data[0];
    uint8_t low = 0x80;
    uint8_t high = 0xbf;
    size_t size;
    *skip = 1;
    if (lead < 0x80) {
        return 1;
    } else if (lead >= 0xc2 && lead <= 0xdf) {
        size = 2;
    } else if (lead >= 0xe0 && lead <= 0xef) {
        size = 3;
        low = lead == 0xe0 ? 0xa0 : low;   /* no overlong form */
        high = lead == 0xed ? 0x9f : high; /* no surrogate */
    } else if (lead >= 0xf0 && lead <= 0xf4) {
        size = 4;
        low = lead == 0xf0 ? 0x90 : low;
        high = lead == 0xf4 ? 0x8f : high; /* nothing past U+10FFFF */
    } else {
        return 0;
    }
    for (size_t i = 1; i < size; i++) {
        if (i >= text.size || text.data[i] < low || text.data[i] > high) {
            *skip = i;
            return 0;
        }
        low = 0x80;
        high = 0xbf;
    }
    return size;
}

bool utf8_read(struct bytes *text, uint32_t *character) {
    size_t skip;
    size_t size = utf8_size(*text, &skip);
    if (size == 0) {
        return false;
    }
    const uint8_t *data = text->data;
    *character = size == 1 ? data[0] : data[0] & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        *character = *character << 6 | (data[i] & 0x3f);
    }
    *text = bytes_of(data + size, text->size - size);
    return true;
}

size_t utf8_write(uint32_t character, uint8_t out[static UTF8_SIZE_MAX]) {
    size_t size = 0;
    CHECK(character <= 0x10ffff);
    if (character < 0x80) {
        out[size++] = (uint8_t)character;
        return size;
    }
    if (character < 0x800) {
        out[size++] = (uint8_t)(0xc0 | character >> 6);
    } else if (character < 0x10000) {
        out[size++] = (uint8_t)(0xe0 | character >> 12);
        out[size++] = (uint8_t)(0x80 | (character >> 6 & 0x3f));
    } else {
        out[size++] = (uint8_t)(0xf0 | character >> 18);
        out[size++] = (uint8_t)(0x80 | (character >> 12 & 0x3f));
        out[size++] = (uint8_t)(0x80 | (character >> 6 & 0x3f));
    }
    out[size++] = (uint8_t)(0x80 | (character & 0x3f));
    return size;
}

struct bytes utf8_cut(struct bytes text, size_t most) {
    size_t size = text.size < most ? text.size : most;
    while (size < text.size && size > 0 && text.data[size] >> 6 == 2) {
        size--;
    }
    return bytes_of(text.data, size);
}
