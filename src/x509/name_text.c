/* The text of Names: RFC 4514 with OpenSSL's short names for attribute types. */
#include "base/utf8.h"
#include "x509/attribute.h"
#include "x509/der.h"
#include "x509/name.h"
#include "x509/oid.h"

/* Appends a code point as UTF-8. */
static void append_character(struct text *out, uint32_t character) {
    uint8_t utf8[UTF8_SIZE_MAX];
    text_append(out, utf8, utf8_write(character, utf8));
}

static void append_hex_value(struct text *out, struct bytes whole) {
    static const char digits[] = "0123456789ABCDEF";
    text_append_char(out, '#');
    for (size_t i = 0; i < whole.size && !out->overflow; i++) {
        const char pair[2] = {digits[whole.data[i] >> 4], digits[whole.data[i] & 15]};
        text_append(out, pair, sizeof pair);
    }
}

void name_append_value(struct text *out, const struct name_attribute *attribute) {
    if (!name_is_string(attribute->tag)) {
        append_hex_value(out, attribute->whole);
        return;
    }
    struct name_characters characters = {attribute->tag, attribute->value};
    uint32_t character;
    while (!out->overflow && name_next_character(&characters, &character) == NAME_CHARACTER) {
        append_character(out, character);
    }
}

static bool needs_escape(uint32_t character, bool first, bool last) {
    switch (character) {
    case ',':
    case '+':
    case '"':
    case '\\':
    case '<':
    case '>':
    case ';':
        return true;
    case '#':
        return first;
    case ' ':
        return first || last;
    default:
        return false;
    }
}

static void append_escaped_value(struct text *out, const struct name_attribute *attribute) {
    struct name_characters characters = {attribute->tag, attribute->value};
    bool first = true;
    uint32_t character;
    while (!out->overflow && name_next_character(&characters, &character) == NAME_CHARACTER) {
        if (character < 0x20 || character == 0x7f) {
            text_append_format(out, "\\%02X", (unsigned)character);
        } else {
            if (needs_escape(character, first, characters.rest.size == 0)) {
                text_append_char(out, '\\');
            }
            append_character(out, character);
        }
        first = false;
    }
}

static void append_attribute(struct text *out, const struct name_attribute *attribute) {
    const char *known = attribute_name(attribute->oid);
    if (known != NULL) {
        text_append_string(out, known);
    } else {
        oid_append(out, attribute->oid);
    }
    text_append_char(out, '=');
    if (known != NULL && name_is_string(attribute->tag)) {
        append_escaped_value(out, attribute);
    } else {
        append_hex_value(out, attribute->whole);
    }
}

void name_append_text(struct text *out, struct bytes name) {
    size_t count = 0;
    struct name_reader reader = name_reader_of(name);
    struct name_attribute attributes[NAME_ATTRIBUTES_MAX];
    while (count < NAME_ATTRIBUTES_MAX && name_next(&reader, &attributes[count])) {
        count++;
    }
    for (size_t i = count; i-- > 0 && !out->overflow;) {
        append_attribute(out, &attributes[i]);
        if (i > 0) {
            text_append_char(out, attributes[i].rdn == attributes[i - 1].rdn ? '+' : ',');
        }
    }
}
