#include "wire.h"

#include "base/check.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { TEXT_MAX = 8192, HEAD_SIZE = 9 };

struct word {
    const char *name;
    unsigned value;
};

static const struct word types[] = {
    {"DATA", 0}, {"HEADERS", 1}, {"PRIORITY", 2}, {"RST", 3},  {"SETTINGS", 4}, {"PUSH", 5},
    {"PING", 6}, {"GOAWAY", 7},  {"WINDOW", 8},   {"CONT", 9}, {"PRIUP", 16},
};

static const struct word flags[] = {{"ES", 1}, {"ACK", 1}, {"EH", 4}, {"PAD", 8}, {"PRI", 32}};

static unsigned value_of(const struct word *words, size_t count, const char *name, size_t size, char prefix) {
    for (size_t i = 0; i < count; i++) {
        if (strlen(words[i].name) == size && memcmp(words[i].name, name, size) == 0) {
            return words[i].value;
        }
    }
    cr_assert(size == 3 && name[0] == prefix, "no such word: %.*s", (int)size, name);
    return (unsigned)strtoul((char[]){name[1], name[2], '\0'}, NULL, 16);
}

static void put(struct buffer *buffer, uint64_t value, size_t size) {
    for (size_t i = size; i-- > 0;) {
        uint8_t byte = (uint8_t)(value >> (8 * i));
        buffer_append(buffer, &byte, 1);
    }
}

/* RFC 7541 section 5.1. */
static void put_integer(struct buffer *buffer, size_t value, uint8_t prefix_max) {
    if (value < prefix_max) {
        put(buffer, value, 1);
        return;
    }
    put(buffer, prefix_max, 1);
    for (value -= prefix_max; value >= 128; value /= 128) {
        put(buffer, value % 128 + 128, 1);
    }
    put(buffer, value, 1);
}

static void put_string(struct buffer *buffer, const char *text, size_t size) {
    struct buffer plain = {0};
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '%') {
            put(&plain, strtoul((char[]){text[i + 1], text[i + 2], '\0'}, NULL, 16), 1);
            i += 2;
        } else {
            buffer_append(&plain, &text[i], 1);
        }
    }
    put_integer(buffer, plain.size, 127);
    buffer_append(buffer, plain.data, plain.size);
    free(plain.data);
}

static void put_field(struct buffer *buffer, const char *text, uint8_t form) {
    const char *equals = strchr(text, '=');
    CHECK(equals != NULL);
    put(buffer, form, 1);
    put_string(buffer, text, (size_t)(equals - text));
    put_string(buffer, equals + 1, strlen(equals + 1));
}

static void put_item(struct buffer *buffer, const char *item) {
    if (strcmp(item, "GET") == 0 || strcmp(item, "POST") == 0) {
        put(buffer, item[0] == 'G' ? 0x82 : 0x83, 1);
        buffer_append_string(buffer, "\x87\x84\x01\x01"
                                     "a");
        return;
    }
    CHECK(item[0] != '\0' && item[1] == ':');
    const char *rest = item + 2;
    switch (item[0]) {
    case 'x':
        for (; *rest != '\0'; rest += 2) {
            put(buffer, strtoul((char[]){rest[0], rest[1], '\0'}, NULL, 16), 1);
        }
        break;
    case 'n':
        for (unsigned long left = strtoul(rest, NULL, 10); left > 0; left--) {
            put(buffer, 0, 1);
        }
        break;
    case 'w':
        put(buffer, strtoul(rest, NULL, 0), 4);
        break;
    case 's':
        put(buffer, strtoul(rest, NULL, 0), 2);
        put(buffer, strtoul(strchr(rest, '=') + 1, NULL, 0), 4);
        break;
    case 'f':
        put_field(buffer, rest, 0x00);
        break;
    case 'i':
        put_field(buffer, rest, 0x40);
        break;
    default:
        cr_assert_fail("no such item: %s", item);
    }
}

/* Appends the head for a payload of that size. */
static void put_head(struct buffer *buffer, const char *word, size_t size) {
    size_t name = strcspn(word, "+@#");
    unsigned type = value_of(types, ARRAY_LENGTH(types), word, name, 'T');
    unsigned set = 0;
    unsigned long stream = 0;
    for (word += name; *word != '\0';) {
        char kind = *word++;
        size_t length = strcspn(word, "+@#");
        if (kind == '+') {
            set |= value_of(flags, ARRAY_LENGTH(flags), word, length, 'F');
        } else if (kind == '@') {
            stream = strtoul(word, NULL, 0);
        } else {
            size = strtoul(word, NULL, 10);
        }
        word += length;
    }
    put(buffer, size, 3);
    put(buffer, type, 1);
    put(buffer, set, 1);
    put(buffer, stream, 4);
}

static void put_frame(struct buffer *buffer, char *text) {
    struct buffer payload = {0};
    char *place;
    char *head = strtok_r(text, " ", &place);
    if (head == NULL) {
        return;
    }
    for (char *item = strtok_r(NULL, " ", &place); item != NULL; item = strtok_r(NULL, " ", &place)) {
        put_item(&payload, item);
    }
    put_head(buffer, head, payload.size);
    buffer_append(buffer, payload.data, payload.size);
    free(payload.data);
}

void wire_write(struct buffer *buffer, const char *text) {
    char copy[TEXT_MAX];
    CHECK(strlen(text) < sizeof copy);
    memcpy(copy, text, strlen(text) + 1);
    char *place;
    for (char *frame = strtok_r(copy, ";", &place); frame != NULL; frame = strtok_r(NULL, ";", &place)) {
        put_frame(buffer, frame);
    }
}

bool wire_read(struct bytes *input, struct wire_frame *frame) {
    struct reader reader = reader_of(*input);
    if (input->size == 0) {
        return false;
    }
    size_t size = (size_t)reader_u16(&reader) << 8;
    size |= reader_u8(&reader);
    frame->type = reader_u8(&reader);
    frame->flags = reader_u8(&reader);
    frame->stream = reader_u32(&reader);
    frame->payload = reader_bytes(&reader, size);
    cr_assert(!reader.failed, "a frame is cut short");
    *input = bytes_of(reader.next, reader_left(&reader));
    return true;
}

uint32_t wire_word(const struct wire_frame *frame, size_t offset) {
    cr_assert(frame->payload.size >= offset + 4);
    const uint8_t *at = frame->payload.data + offset;
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}
