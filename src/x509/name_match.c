/* The comparison of Names: name_equal, name_is_within and name_hash fold strings by the same functions. */
#include "base/check.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "x509/der.h"
#include "x509/name.h"

enum {
    CHUNK_SIZE = 256,
    STEP_MAX = 1 + 4, /* bytes that one character adds at most: a space before it, and its own in UTF-8 */
    TYPE_SIZE = 30,   /* most types are far shorter */
};

static _Thread_local uint64_t bytes_folded;

uint64_t name_bytes_folded(void) {
    return bytes_folded;
}

/* A string while it is compared. */
struct folder {
    struct name_characters characters;
    bool started; /* a character other than a space has come */
    bool space;   /* a space goes before the next character, if there is one */
};

static struct folder folder_of(const struct name_attribute *attribute) {
    return (struct folder){.characters = {attribute->tag, attribute->value}};
}

/* Reads a character. False at the end; a valid string has no character that cannot be read. */
static bool next_character(struct folder *folder, uint32_t *character) {
    struct name_characters *characters = &folder->characters;
    bool wide = characters->tag == DER_BMP_STRING || characters->tag == DER_UNIVERSAL_STRING;
    if (!wide && characters->rest.size > 0 && characters->rest.data[0] < 0x80) {
        *character = characters->rest.data[0];
        characters->rest = bytes_of(characters->rest.data + 1, characters->rest.size - 1);
        return true;
    }
    return name_next_character(characters, character) == NAME_CHARACTER;
}

/*
 * Writes the next bytes of a string in the form that is compared: UTF-8 with small letters of ASCII, one space for each run
 * of spaces, none at the ends. Returns how many; 0 at the end. Strings that match come in the same pieces, since the end of
 * a piece depends on the folded characters alone.
 */
static size_t fold(struct folder *folder, uint8_t chunk[static CHUNK_SIZE]) {
    size_t size = 0;
    size_t before = folder->characters.rest.size;
    uint32_t character;
    while (size <= CHUNK_SIZE - STEP_MAX && next_character(folder, &character)) {
        if (character == ' ') {
            folder->space = folder->started;
            continue;
        }
        if (folder->space) {
            chunk[size++] = ' ';
            folder->space = false;
        }
        folder->started = true;
        if (character < 0x80) {
            chunk[size++] = (uint8_t)(character >= 'A' && character <= 'Z' ? character + ('a' - 'A') : character);
        } else {
            size += utf8_write(character, chunk + size);
        }
    }
    bytes_folded += before - folder->characters.rest.size;
    return size;
}

static bool values_match(const struct name_attribute *a, const struct name_attribute *b) {
    if (!name_is_string(a->tag) || !name_is_string(b->tag)) {
        return bytes_equal(a->whole, b->whole);
    }
    if (a->tag == b->tag && bytes_equal(a->value, b->value)) {
        return true;
    }
    struct folder folder_a = folder_of(a);
    struct folder folder_b = folder_of(b);
    uint8_t chunk_a[CHUNK_SIZE];
    uint8_t chunk_b[CHUNK_SIZE];
    size_t size;
    do {
        size = fold(&folder_a, chunk_a);
        if (size != fold(&folder_b, chunk_b) || memcmp(chunk_a, chunk_b, size) != 0) {
            return false;
        }
    } while (size > 0);
    return true;
}

static bool attributes_match(const struct name_attribute *a, const struct name_attribute *b) {
    return bytes_equal(a->oid, b->oid) && values_match(a, b);
}

static uint64_t hash_two(uint64_t first, uint64_t second) {
    const uint64_t both[] = {first, second};
    return hash_bytes(both, sizeof both);
}

/* Hashes type and value, and `place`. Most attributes fit in one piece with their type, and are hashed at once. */
static uint64_t attribute_hash(const struct name_attribute *attribute, unsigned place) {
    uint8_t first[2 + TYPE_SIZE + CHUNK_SIZE] = {(uint8_t)place};
    struct bytes type = attribute->oid;
    uint64_t long_type;
    if (type.size > TYPE_SIZE) {
        long_type = hash_bytes(type.data, type.size);
        type = bytes_of(&long_type, sizeof long_type);
    }
    first[1] = (uint8_t)(attribute->oid.size < UINT8_MAX ? attribute->oid.size : UINT8_MAX);
    memcpy(first + 2, type.data, type.size);
    if (!name_is_string(attribute->tag)) {
        return hash_two(hash_bytes(first, 2 + type.size), hash_bytes(attribute->whole.data, attribute->whole.size));
    }
    struct folder folder = folder_of(attribute);
    size_t size = fold(&folder, first + 2 + type.size);
    uint64_t hash = hash_bytes(first, 2 + type.size + size);
    while (folder.characters.rest.size > 0) {
        size = fold(&folder, first);
        hash = size > 0 ? hash_two(hash, hash_bytes(first, size)) : hash;
    }
    return hash;
}

/* An RDN's attributes, and the hash of each, by which it is found. */
struct set {
    size_t count;
    struct name_attribute attributes[NAME_RDN_ATTRIBUTES_MAX];
    uint64_t hashes[NAME_RDN_ATTRIBUTES_MAX];
};

static void read_set(struct bytes content, struct set *set) {
    set->count = 0;
    while (content.size > 0) {
        CHECK(set->count < NAME_RDN_ATTRIBUTES_MAX && name_read_attribute(&content, &set->attributes[set->count]));
        set->count++;
    }
}

static void hash_set(struct set *set) {
    for (size_t i = 0; i < set->count; i++) {
        set->hashes[i] = attribute_hash(&set->attributes[i], 0);
    }
}

/*
 * Sets are compared without order, since folding may have changed the order that DER gives them, and each attribute of one
 * needs its own in the other. Hashes are compared first: else a set of many that are nearly alike would cost the square of
 * their size.
 */
static bool sets_match(struct set *a, struct set *b) {
    if (a->count != b->count) {
        return false;
    }
    if (a->count == 1) {
        return attributes_match(&a->attributes[0], &b->attributes[0]);
    }
    uint32_t taken = 0;
    hash_set(a);
    hash_set(b);
    for (size_t i = 0; i < a->count; i++) {
        size_t j = 0;
        while (j < b->count && ((taken >> j & 1) != 0 || a->hashes[i] != b->hashes[j] ||
                                !attributes_match(&a->attributes[i], &b->attributes[j]))) {
            j++;
        }
        if (j == b->count) {
            return false;
        }
        taken |= UINT32_C(1) << j;
    }
    return true;
}

static bool rdns_match(struct bytes *a, struct bytes *b) {
    struct bytes content_a;
    struct bytes content_b;
    CHECK(der_read(a, DER_SET, &content_a) && der_read(b, DER_SET, &content_b));
    if (bytes_equal(content_a, content_b)) {
        return true;
    }
    struct set set_a;
    read_set(content_a, &set_a);
    struct set set_b;
    read_set(content_b, &set_b);
    return sets_match(&set_a, &set_b);
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

uint64_t name_hash(struct bytes name) {
    struct name_reader reader = name_reader_of(name);
    uint64_t hash = 1;
    struct name_attribute attribute;
    while (name_next(&reader, &attribute)) {
        /* Within an RDN, which is a set, the hashes are added up; by the RDN's number the order of RDNs counts. */
        hash += attribute_hash(&attribute, attribute.rdn);
    }
    return hash;
}
