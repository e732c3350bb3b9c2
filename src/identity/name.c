#include "identity/name.h"

#include "base/check.h"
#include "identity/der.h"

/* The parts of a Name that is known to be valid, so that reading cannot fail. */
struct name_reader name_reader_of(struct bytes name) {
    struct name_reader reader = {{NULL, 0}, {NULL, 0}, 0};
    CHECK(der_only(name, DER_SEQUENCE, &reader.rdns));
    return reader;
}

static bool read_attribute(struct bytes *set, struct name_attribute *attribute) {
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
    CHECK(read_attribute(&reader->set, attribute));
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

/* One UTF-8 sequence (RFC 3629): shortest form, no surrogates. */
static bool next_utf8(struct bytes *rest, uint32_t *character) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t *data = rest->data;
    size_t size = data[0] < 0x80 ? 1 : data[0] >> 5 == 6 ? 2 : data[0] >> 4 == 14 ? 3 : data[0] >> 3 == 30 ? 4 : 0;
    if (size == 0 || size > rest->size) {
        return false;
    }
    *character = size == 1 ? data[0] : data[0] & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if (data[i] >> 6 != 2) {
            return false;
        }
        *character = *character << 6 | (data[i] & 0x3f);
    }
    *rest = bytes_of(data + size, rest->size - size);
    return *character >= least[size];
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
        read = next_utf8(&characters->rest, character);
        break;
    case DER_BMP_STRING:
        read = next_wide(&characters->rest, 2, character);
        break;
    case DER_UNIVERSAL_STRING:
        read = next_wide(&characters->rest, 4, character);
        break;
    default:
        /* One byte each. Bytes from 0x80 are no legal characters of most of these types; where they occur they are
         * Latin-1, and OpenSSL reads them so. */
        read = next_wide(&characters->rest, 1, character);
    }
    bool surrogate = *character >= 0xd800 && *character <= 0xdfff;
    return read && *character <= 0x10ffff && !surrogate ? NAME_CHARACTER : NAME_CHARACTERS_BAD;
}

static bool string_is_valid(const struct name_attribute *attribute) {
    struct name_characters characters = {attribute->tag, attribute->value};
    uint32_t character;
    enum name_character_result result;
    while ((result = name_next_character(&characters, &character)) == NAME_CHARACTER) {
        if (character == 0) {
            return false;
        }
    }
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
            if (!read_attribute(&set, &attribute) || ++in_set > NAME_RDN_ATTRIBUTES_MAX || ++count > NAME_ATTRIBUTES_MAX) {
                return false;
            }
            if (name_is_string(attribute.tag) && !string_is_valid(&attribute)) {
                return false;
            }
        }
    }
    return true;
}

/*
 * Yields the characters that matter for comparison, lower-cased, with each run of inner spaces as one; 0 at the end
 * (no valid string contains it).
 */
static uint32_t next_folded(struct name_characters *characters, bool *started) {
    uint32_t character = 0;
    bool space = false;
    struct bytes before = characters->rest;
    while (name_next_character(characters, &character) == NAME_CHARACTER) {
        if (character == ' ') {
            space = *started;
            before = characters->rest;
            continue;
        }
        if (space) {
            characters->rest = before; /* the character itself comes at the next call */
            return ' ';
        }
        *started = true;
        return character >= 'A' && character <= 'Z' ? character + ('a' - 'A') : character;
    }
    return 0;
}

static bool values_match(const struct name_attribute *a, const struct name_attribute *b) {
    if (!name_is_string(a->tag) || !name_is_string(b->tag)) {
        return bytes_equal(a->whole, b->whole);
    }
    if (a->tag == b->tag && bytes_equal(a->value, b->value)) {
        return true;
    }
    struct name_characters in_a = {a->tag, a->value};
    struct name_characters in_b = {b->tag, b->value};
    bool started_a = false;
    bool started_b = false;
    uint32_t character;
    do {
        character = next_folded(&in_a, &started_a);
        if (character != next_folded(&in_b, &started_b)) {
            return false;
        }
    } while (character != 0);
    return true;
}

static bool attributes_match(const struct name_attribute *a, const struct name_attribute *b) {
    return bytes_equal(a->oid, b->oid) && values_match(a, b);
}

/* Sets are compared without order: folding may have changed how DER would sort them. */
static bool sets_match(struct bytes a, struct bytes b) {
    unsigned count_a = 0;
    unsigned count_b = 0;
    struct name_attribute attribute;
    for (struct bytes rest = b; rest.size > 0; count_b++) {
        CHECK(read_attribute(&rest, &attribute));
    }
    while (a.size > 0) {
        CHECK(read_attribute(&a, &attribute));
        count_a++;
        bool found = false;
        for (struct bytes rest = b; rest.size > 0 && !found;) {
            struct name_attribute other;
            CHECK(read_attribute(&rest, &other));
            found = attributes_match(&attribute, &other);
        }
        if (!found) {
            return false;
        }
    }
    return count_a == count_b;
}

static bool rdns_match(struct bytes *a, struct bytes *b) {
    struct bytes set_a;
    struct bytes set_b;
    CHECK(der_read(a, DER_SET, &set_a) && der_read(b, DER_SET, &set_b));
    return bytes_equal(set_a, set_b) || sets_match(set_a, set_b);
}

bool name_is_within(struct bytes name, struct bytes base) {
    struct bytes rest = name_reader_of(name).rdns;
    struct bytes base_rest = name_reader_of(base).rdns;
    while (base_rest.size > 0) {
        if (rest.size == 0 || !rdns_match(&rest, &base_rest)) {
            return false;
        }
    }
    return true;
}

bool name_equal(struct bytes a, struct bytes b) {
    if (bytes_equal(a, b)) {
        return true;
    }
    struct bytes rest_a = name_reader_of(a).rdns;
    struct bytes rest_b = name_reader_of(b).rdns;
    while (rest_a.size > 0 && rest_b.size > 0) {
        if (!rdns_match(&rest_a, &rest_b)) {
            return false;
        }
    }
    return rest_a.size == 0 && rest_b.size == 0;
}

/* FNV-1a, 64 bits. */
static uint64_t hash_step(uint64_t hash, uint64_t value) {
    return (hash ^ value) * UINT64_C(0x100000001b3);
}

static uint64_t attribute_hash(const struct name_attribute *attribute) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < attribute->oid.size; i++) {
        hash = hash_step(hash, attribute->oid.data[i]);
    }
    if (!name_is_string(attribute->tag)) {
        for (size_t i = 0; i < attribute->whole.size; i++) {
            hash = hash_step(hash, attribute->whole.data[i]);
        }
        return hash;
    }
    struct name_characters characters = {attribute->tag, attribute->value};
    bool started = false;
    uint32_t character;
    do {
        character = next_folded(&characters, &started);
        hash = hash_step(hash, character);
    } while (character != 0);
    return hash;
}

uint64_t name_hash(struct bytes name) {
    struct name_reader reader = name_reader_of(name);
    struct name_attribute attribute;
    uint64_t hash = 1;
    while (name_next(&reader, &attribute)) {
        /* A sum within the RDN, which is a set; the RDN's place makes the order of RDNs count. */
        hash += hash_step(attribute_hash(&attribute), attribute.rdn + 1);
    }
    return hash;
}
