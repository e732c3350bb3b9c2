/* The text of Names: RFC 4514 with OpenSSL's short names for attribute types. */
#include "base/check.h"
#include "base/utf8.h"
#include "x509/der.h"
#include "x509/name.h"
#include "x509/oid.h"

#define ATTRIBUTE(oid, name)                                                                                                \
    { {(const uint8_t *)(oid), sizeof(oid) - 1}, name }

static const struct {
    struct bytes oid;
    const char *name;
} attribute_names[] = {
    ATTRIBUTE("\x55\x04\x03", "CN"),
    ATTRIBUTE("\x55\x04\x04", "SN"),
    ATTRIBUTE("\x55\x04\x05", "serialNumber"),
    ATTRIBUTE("\x55\x04\x06", "C"),
    ATTRIBUTE("\x55\x04\x07", "L"),
    ATTRIBUTE("\x55\x04\x08", "ST"),
    ATTRIBUTE("\x55\x04\x09", "street"),
    ATTRIBUTE("\x55\x04\x0a", "O"),
    ATTRIBUTE("\x55\x04\x0b", "OU"),
    ATTRIBUTE("\x55\x04\x0c", "title"),
    ATTRIBUTE("\x55\x04\x0d", "description"),
    ATTRIBUTE("\x55\x04\x0f", "businessCategory"),
    ATTRIBUTE("\x55\x04\x10", "postalAddress"),
    ATTRIBUTE("\x55\x04\x11", "postalCode"),
    ATTRIBUTE("\x55\x04\x12", "postOfficeBox"),
    ATTRIBUTE("\x55\x04\x14", "telephoneNumber"),
    ATTRIBUTE("\x55\x04\x29", "name"),
    ATTRIBUTE("\x55\x04\x2a", "GN"),
    ATTRIBUTE("\x55\x04\x2b", "initials"),
    ATTRIBUTE("\x55\x04\x2c", "generationQualifier"),
    ATTRIBUTE("\x55\x04\x2d", "x500UniqueIdentifier"),
    ATTRIBUTE("\x55\x04\x2e", "dnQualifier"),
    ATTRIBUTE("\x55\x04\x41", "pseudonym"),
    ATTRIBUTE("\x55\x04\x48", "role"),
    ATTRIBUTE("\x55\x04\x61", "organizationIdentifier"),
    ATTRIBUTE("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", "emailAddress"),
    ATTRIBUTE("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x02", "unstructuredName"),
    ATTRIBUTE("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x08", "unstructuredAddress"),
    ATTRIBUTE("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01", "UID"),
    ATTRIBUTE("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x03", "mail"),
    ATTRIBUTE("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", "DC"),
    ATTRIBUTE("\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x01", "jurisdictionL"),
    ATTRIBUTE("\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x02", "jurisdictionST"),
    ATTRIBUTE("\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x03", "jurisdictionC"),
};

void name_append_character(struct text *out, uint32_t character) {
    uint8_t utf8[UTF8_SIZE_MAX];
    text_append(out, utf8, utf8_write(character, utf8));
}

static void append_hex_value(struct text *out, struct bytes whole) {
    static const char digits[] = "0123456789ABCDEF";
    text_append_char(out, '#');
    for (size_t i = 0; i < whole.size && !out->overflow; i++) {
        const char pair[2] = {digits[whole.data[i] >> 4], digits[whole.data[i] & 15]};
        text_append(out, pair, sizeof(pair));
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
        name_append_character(out, character);
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
    uint32_t character;
    bool first = true;
    while (!out->overflow && name_next_character(&characters, &character) == NAME_CHARACTER) {
        if (character < 0x20 || character == 0x7f) {
            text_append_format(out, "\\%02X", (unsigned)character);
        } else {
            if (needs_escape(character, first, characters.rest.size == 0)) {
                text_append_char(out, '\\');
            }
            name_append_character(out, character);
        }
        first = false;
    }
}

static void append_attribute(struct text *out, const struct name_attribute *attribute) {
    const char *known = NULL;
    for (size_t i = 0; i < ARRAY_LENGTH(attribute_names) && known == NULL; i++) {
        known = bytes_equal(attribute_names[i].oid, attribute->oid) ? attribute_names[i].name : NULL;
    }
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
    struct name_attribute attributes[NAME_ATTRIBUTES_MAX];
    size_t count = 0;
    struct name_reader reader = name_reader_of(name);
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
