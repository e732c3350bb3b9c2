/*
 * Three Names, of which the second and third are the first with changes that the input asks for, or Names of its own: that
 * they match must not depend on who is asked first, must carry over from one to the next, must agree with the hash, and
 * with a comparison that is written in the plainest way.
 */
#include "base/check.h"
#include "base/hash.h"
#include "x509/der.h"
#include "x509/name.h"

#include <stdlib.h>

enum { SIZE_MAX_HERE = 8192 };

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv) {
    hash_init();
    return 0;
}

/*
 * Writes the value of an attribute as it is compared, one code point a cell; -1 at the end. A value that is no string gives
 * the bytes of the whole, from 0x200000 on.
 */
static void plain_value(const struct name_attribute *attribute, int32_t *out) {
    size_t count = 0;
    if (!name_is_string(attribute->tag)) {
        for (size_t i = 0; i < attribute->whole.size; i++) {
            out[count++] = 0x200000 + attribute->whole.data[i];
        }
        out[count] = -1;
        return;
    }
    struct name_characters characters = {attribute->tag, attribute->value};
    bool space = false;
    uint32_t character;
    while (name_next_character(&characters, &character) == NAME_CHARACTER) {
        if (character == ' ') {
            space = count > 0;
            continue;
        }
        if (space) {
            out[count++] = ' ';
            space = false;
        }
        out[count++] = (int32_t)(character >= 'A' && character <= 'Z' ? character + 32 : character);
    }
    out[count] = -1;
}

static bool plain_attributes_match(const struct name_attribute *a, const struct name_attribute *b) {
    static int32_t values[2][SIZE_MAX_HERE + 1];
    if (!bytes_equal(a->oid, b->oid)) {
        return false;
    }
    plain_value(a, values[0]);
    plain_value(b, values[1]);
    size_t i = 0;
    while (values[0][i] == values[1][i] && values[0][i] >= 0) {
        i++;
    }
    return values[0][i] == values[1][i];
}

static bool plain_match(struct bytes a, struct bytes b) {
    static struct name_attribute attributes[2][NAME_ATTRIBUTES_MAX];
    size_t counts[2] = {0, 0};
    struct name_reader readers[] = {name_reader_of(a), name_reader_of(b)};
    for (size_t i = 0; i < 2; i++) {
        while (name_next(&readers[i], &attributes[i][counts[i]])) {
            if (++counts[i] == NAME_ATTRIBUTES_MAX) {
                break;
            }
        }
    }
    bool taken[NAME_ATTRIBUTES_MAX] = {false};
    for (size_t i = 0; i < counts[0]; i++) {
        size_t j = 0;
        while (j < counts[1] && (taken[j] || attributes[0][i].rdn != attributes[1][j].rdn ||
                                 !plain_attributes_match(&attributes[0][i], &attributes[1][j]))) {
            j++;
        }
        if (j == counts[1]) {
            return false;
        }
        taken[j] = true;
    }
    return counts[0] == counts[1];
}

/* Changes that keep lengths, and mostly what the Name says. */
static void change(uint8_t *name, size_t size, const uint8_t *edits, size_t count) {
    for (size_t i = 0; i + 2 < count; i += 3) {
        size_t at = ((size_t)edits[i] << 8 | edits[i + 1]) % size;
        uint8_t c = name[at];
        if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') {
            name[at] ^= 0x20;
        } else if (c == DER_UTF8_STRING || c == DER_PRINTABLE_STRING) {
            name[at] = edits[i + 2] % 2 == 0 ? DER_UTF8_STRING : DER_PRINTABLE_STRING;
        } else if (edits[i + 2] % 8 == 0) {
            name[at] = edits[i + 2];
        }
    }
}

static void check_pair(struct bytes a, struct bytes b) {
    bool equal = name_equal(a, b);
    CHECK(equal == name_equal(b, a));
    CHECK(equal == plain_match(a, b));
    CHECK(equal == (name_hash(a) == name_hash(b)));
    CHECK(!equal || (name_is_within(a, b) && name_is_within(b, a)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes rest = bytes_of(data, size);
    struct der first;
    if (!der_next(&rest, &first) || first.whole.size > SIZE_MAX_HERE || !name_is_valid(first.whole)) {
        return 0;
    }
    struct bytes names[3] = {first.whole};
    uint8_t *copies[2];
    for (size_t i = 0; i < 2; i++) {
        copies[i] = malloc(first.whole.size);
        CHECK(copies[i] != NULL);
        memcpy(copies[i], first.whole.data, first.whole.size);
        size_t half = rest.size / 2;
        change(copies[i], first.whole.size, rest.data + i * half, half);
        names[1 + i] = bytes_of(copies[i], first.whole.size);
    }
    struct der second;
    if (der_next(&rest, &second) && second.whole.size <= SIZE_MAX_HERE && name_is_valid(second.whole)) {
        names[2] = second.whole;
    }
    if (name_is_valid(names[1]) && name_is_valid(names[2])) {
        for (size_t i = 0; i < 3; i++) {
            check_pair(names[i], names[(i + 1) % 3]);
            check_pair(names[i], names[i]);
        }
        CHECK(!name_equal(names[0], names[1]) || name_equal(names[1], names[2]) == name_equal(names[0], names[2]));
    }
    free(copies[0]);
    free(copies[1]);
    return 0;
}
