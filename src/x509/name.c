#include "x509/name.h"

#include "base/check.h"
#include "base/utf8.h"
#include "x509/der.h"

/* The Name is known to be valid, so that reading cannot fail. */
struct name_reader name_reader_of(struct bytes name) {
    struct name_reader reader = {{NULL, 0}, {NULL, 0}, 0};
    CHECK(der_only(name, DER_SEQUENCE, &reader.rdns));
    return reader;
}

bool name_read_attribute(struct bytes *set, struct name_attribute *attribute) {
    struct bytes pair;
    struct der value;
    if (!der_read(set, DER_SEQUENCE, &pair) || !der_read_oid(&pair, &attribute->oid) || !der_next(&pair, &value)) {
        return false;
    }
    attribute->tag = value.tag;
    attribute->value = value.content;
    attribute->whole = value.whole;
    return pair.size == 0;
}

bool name_next(struct name_reader *reader, struct name_attribute *attribute) {
    if (reader->set.size == 0) {
        if (reader->rdns.size == 0) {
            return false;
        }
        CHECK(der_read(&reader->rdns, DER_SET, &reader->set));
        reader->rdn++;
    }
    CHECK(name_read_attribute(&reader->set, attribute));
    attribute->rdn = reader->rdn - 1;
    return true;
}

bool name_find(struct bytes name, struct bytes oid, struct name_attribute *attribute) {
    struct name_reader reader = name_reader_of(name);
    while (name_next(&reader, attribute)) {
        if (bytes_equal(attribute->oid, oid)) {
            return true;
        }
    }
    return false;
}

bool name_is_empty(struct bytes name) {
    return name_reader_of(name).rdns.size == 0;
}

bool name_is_string(uint8_t tag) {
    switch (tag) {
    case DER_UTF8_STRING:
    case DER_NUMERIC_STRING:
    case DER_PRINTABLE_STRING:
    case DER_TELETEX_STRING:
    case DER_IA5_STRING:
    case DER_VISIBLE_STRING:
    case DER_UNIVERSAL_STRING:
    case DER_BMP_STRING:
        return true;
    default:
        return false;
    }
}

static bool next_wide(struct bytes *rest, size_t size, uint32_t *character) {
    if (rest->size < size) {
        return false;
    }
    *character = 0;
    for (size_t i = 0; i < size; i++) {
        *character = *character << 8 | rest->data[i];
    }
    *rest = bytes_of(rest->data + size, rest->size - size);
    return true;
}

enum name_character_result name_next_character(struct name_characters *characters, uint32_t *character) {
    if (characters->rest.size == 0) {
        return NAME_CHARACTERS_END;
    }
    bool read;
    *character = 0;
    switch (characters->tag) {
    case DER_UTF8_STRING:
        read = utf8_read(&characters->rest, character);
        break;
    case DER_BMP_STRING:
        read = next_wide(&characters->rest, 2, character);
        break;
    case DER_UNIVERSAL_STRING:
        read = next_wide(&characters->rest, 4, character);
        break;
    default:
        /* Each byte is a character. Bytes from 0x80 on are illegal in most of these types; where they occur they are
         * Latin-1, and OpenSSL reads them so. */
        read = next_wide(&characters->rest, 1, character);
    }
    bool surrogate = *character >= 0xd800 && *character <= 0xdfff;
    return read && *character <= 0x10ffff && !surrogate ? NAME_CHARACTER : NAME_CHARACTERS_BAD;
}

/* Returns how many bytes at the front of a string are each a character of ASCII other than NUL. */
static size_t ascii_size(const struct name_characters *characters) {
    size_t size = 0;
    if (characters->tag != DER_BMP_STRING && characters->tag != DER_UNIVERSAL_STRING) {
        while (size < characters->rest.size && characters->rest.data[size] - 1u < 0x7fu) {
            size++;
        }
    }
    return size;
}

static bool string_is_valid(const struct name_attribute *attribute) {
    struct name_characters characters = {attribute->tag, attribute->value};
    uint32_t character;
    enum name_character_result result;
    do {
        size_t size = ascii_size(&characters);
        characters.rest = bytes_of(characters.rest.data + size, characters.rest.size - size);
        result = name_next_character(&characters, &character);
        if (result == NAME_CHARACTER && character == 0) {
            return false;
        }
    } while (result == NAME_CHARACTER);
    return result == NAME_CHARACTERS_END;
}

bool name_is_valid(struct bytes name) {
    struct bytes rdns;
    if (!der_only(name, DER_SEQUENCE, &rdns)) {
        return false;
    }
    unsigned count = 0;
    while (rdns.size > 0) {
        struct bytes set;
        if (!der_read(&rdns, DER_SET, &set) || set.size == 0) {
            return false;
        }
        unsigned in_set = 0;
        while (set.size > 0) {
            struct name_attribute attribute;
            if (!name_read_attribute(&set, &attribute) || ++in_set > NAME_RDN_ATTRIBUTES_MAX ||
                ++count > NAME_ATTRIBUTES_MAX) {
                return false;
            }
            if (name_is_string(attribute.tag) && !string_is_valid(&attribute)) {
                return false;
            }
        }
    }
    return true;
}
