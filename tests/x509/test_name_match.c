#include "../base/random.h"
#include "name_builder.h"
#include "x509/name.h"

static void assert_equal(struct bytes a, struct bytes b, bool equal) {
    cr_assert(name_is_valid(a) && name_is_valid(b));
    cr_assert_eq(name_equal(a, b), equal);
    cr_assert_eq(name_equal(b, a), equal);
    cr_assert(!equal || name_hash(a) == name_hash(b));
}

Test(name_match, case_and_spaces_do_not_matter) {
    struct builder a;
    struct builder b;
    assert_equal(NAME(a, UTF8(10, "Works"), UTF8(3, "My CA")), NAME(b, PRINTABLE(10, "WORKS"), PRINTABLE(3, "  my   ca ")),
                 true);
    assert_equal(NAME(a, UTF8(3, "My CA")), NAME(b, UTF8(3, "MyCA")), false);
    assert_equal(NAME(a, UTF8(3, "")), NAME(b, UTF8(3, "   ")), true);
    assert_equal(NAME(a, UTF8(3, "a")), NAME(b, UTF8(3, "a b")), false);
    assert_equal(NAME(a, UTF8(3, "a b")), NAME(b, UTF8(3, "a b c")), false);
}

Test(name_match, the_string_type_does_not_matter) {
    struct builder a;
    struct bytes utf8 = NAME(a, UTF8(3, "Gr\xc3\xb6\xc3\x9f"
                                        "e"));
    struct builder b;
    assert_equal(utf8,
                 NAME(b, {3, DER_TELETEX_STRING,
                          "Gr\xf6\xdf"
                          "e",
                          0, false}),
                 true);
    assert_equal(utf8, NAME(b, {3, DER_BMP_STRING, "\0G\0r\0\xf6\0\xdf\0e", 10, false}), true);
    assert_equal(utf8, NAME(b, {3, DER_UNIVERSAL_STRING, "\0\0\0g\0\0\0r\0\0\0\xf6\0\0\0\xdf\0\0\0e", 20, false}), true);
    assert_equal(utf8, NAME(b, {3, DER_BMP_STRING, "\0G\0r\0\xf6\0\xdf\0f", 10, false}), false);
}

Test(name_match, what_is_no_string_is_compared_as_it_is) {
    struct builder a;
    struct builder b;
    assert_equal(NAME(a, {45, DER_BIT_STRING, "\0A", 2, false}), NAME(b, {45, DER_BIT_STRING, "\0A", 2, false}), true);
    assert_equal(NAME(a, {45, DER_BIT_STRING, "\0A", 2, false}), NAME(b, {45, DER_BIT_STRING, "\0a", 2, false}), false);
    assert_equal(NAME(a, {45, DER_OCTET_STRING, "A", 0, false}), NAME(b, UTF8(45, "A")), false);
}

Test(name_match, attribute_types_and_their_order_matter) {
    struct builder a;
    struct builder b;
    assert_equal(NAME(a, UTF8(3, "x")), NAME(b, UTF8(11, "x")), false);
    assert_equal(NAME(a, UTF8(10, "x"), UTF8(3, "y")), NAME(b, UTF8(3, "y"), UTF8(10, "x")), false);
    assert_equal(NAME(a, UTF8(10, "x"), UTF8(3, "y")), NAME(b, UTF8(10, "x")), false);
    assert_equal(NAME(a, UTF8(11, "a"), UTF8(11, "b")), NAME(b, UTF8(11, "b"), UTF8(11, "a")), false);
    cr_assert_neq(name_hash(NAME(a, UTF8(11, "a"), UTF8(11, "b"))), name_hash(NAME(b, UTF8(11, "b"), UTF8(11, "a"))));
}

Test(name_match, within_one_rdn_order_does_not_matter) {
    struct builder a;
    struct bytes one = NAME(a, UTF8(10, "o"), UTF8(3, "c"), {11, DER_UTF8_STRING, "u", 0, true});
    struct builder b;
    assert_equal(one, NAME(b, UTF8(10, "o"), UTF8(11, "U"), {3, DER_UTF8_STRING, "C", 0, true}), true);
    assert_equal(one, NAME(b, UTF8(10, "o"), UTF8(11, "u"), UTF8(3, "c")), false);
    assert_equal(one, NAME(b, UTF8(10, "o"), UTF8(3, "c")), false);
    struct bytes twice = NAME(a, UTF8(3, "c"), {3, DER_UTF8_STRING, "d", 0, true});
    assert_equal(twice, NAME(b, UTF8(3, "c"), {3, DER_UTF8_STRING, "e", 0, true}), false);
}

Test(name_match, each_attribute_of_an_rdn_counts_once) {
    struct builder a;
    struct bytes two = NAME(a, UTF8(11, "x"), {11, DER_UTF8_STRING, "x", 0, true});
    struct builder b;
    assert_equal(two, NAME(b, UTF8(11, "x"), {11, DER_UTF8_STRING, "y", 0, true}), false);
    cr_assert(!name_is_within(two, bytes_of(b.data, b.size)) && !name_is_within(bytes_of(b.data, b.size), two));
    assert_equal(two, NAME(b, UTF8(11, "x")), false);
    assert_equal(two, NAME(b, PRINTABLE(11, "X"), {11, DER_UTF8_STRING, " x", 0, true}), true);
    struct bytes three = NAME(a, UTF8(11, "x"), {11, DER_UTF8_STRING, "y", 0, true}, {11, DER_UTF8_STRING, "x", 0, true});
    assert_equal(three, NAME(b, UTF8(11, "x"), {11, DER_UTF8_STRING, "y", 0, true}, {11, DER_UTF8_STRING, "y", 0, true}),
                 false);
    assert_equal(three, NAME(b, UTF8(11, "y"), {11, DER_UTF8_STRING, "x", 0, true}, {11, DER_UTF8_STRING, "X", 0, true}),
                 true);
}

/* A Name of one attribute, whose value has 256 bytes at least. */
static struct bytes long_name(uint8_t out[static 4096], uint8_t tag, const char *value, size_t size) {
    const size_t sizes[] = {size + 17, size + 13, size + 9, size};
    static const uint8_t tags[] = {DER_SEQUENCE, DER_SET, DER_SEQUENCE};
    static const uint8_t type[] = {DER_OID, 3, 0x55, 4, 3};
    size_t at = 0;
    for (size_t i = 0; i < 4; i++) {
        const uint8_t head[] = {i < 3 ? tags[i] : tag, 0x82, (uint8_t)(sizes[i] >> 8), (uint8_t)sizes[i]};
        if (i == 3) {
            memcpy(out + at, type, sizeof type);
            at += sizeof type;
        }
        memcpy(out + at, head, sizeof head);
        at += sizeof head;
    }
    memcpy(out + at, value, size);
    return bytes_of(out, at + size);
}

Test(name_match, strings_that_are_longer_than_a_piece) {
    static const char *const fills[] = {"x", " x", "xX", "\xc3\xa9", " \xf0\x9f\x8d\x95", "  y"};
    static char texts[2][1200];
    static uint8_t a[4096], b[4096];
    for (size_t f = 0; f < sizeof fills / sizeof fills[0]; f++) {
        size_t step = strlen(fills[f]);
        for (size_t size = 260; size < 1100; size += step) {
            size_t used = size / step * step;
            for (size_t at = 0; at < used; at += step) {
                memcpy(texts[0] + at, fills[f], step);
            }
            /* With spaces at its ends: it is the same, but lies otherwise in its pieces. */
            memset(texts[1], ' ', sizeof texts[1]);
            memcpy(texts[1] + 5, texts[0], used);
            struct bytes name = long_name(a, DER_UTF8_STRING, texts[0], used);
            assert_equal(name, long_name(b, DER_UTF8_STRING, texts[1], used + 5 + size % 9), true);
            texts[1][5 + used] = 'z';
            assert_equal(name, long_name(b, DER_UTF8_STRING, texts[1], used + 6), false);
        }
    }
}

Test(name_match, a_subtree_is_what_begins_alike) {
    struct builder a;
    struct builder b;
    struct bytes name = NAME(a, UTF8(6, "DE"), UTF8(10, "Works"), UTF8(3, "x"));
    cr_assert(name_is_within(name, name));
    cr_assert(name_is_within(name, NAME(b, PRINTABLE(6, "de"), UTF8(10, "WORKS"))));
    cr_assert(name_is_within(name, SUPPORT_BYTES("\x30\x00")));
    cr_assert(!name_is_within(name, NAME(b, UTF8(10, "Works"))));
    cr_assert(!name_is_within(name, NAME(b, UTF8(6, "DE"), UTF8(10, "Work"))));
    cr_assert(!name_is_within(SUPPORT_BYTES("\x30\x00"), NAME(b, UTF8(6, "DE"))));
}

/* The value by which a Name is compared, in the plainest way: each attribute as text, sorted within its RDN. */
struct plain {
    char attributes[8][64];
    size_t count;
};

static int order(const void *a, const void *b) {
    return strcmp(a, b);
}

static struct plain plain_of(const struct part *parts) {
    struct plain plain = {.count = 0};
    size_t first = 0;
    for (size_t i = 0; parts[i].arc != 0; i++) {
        if (i > 0 && !parts[i].same_rdn) {
            qsort(plain.attributes[first], plain.count - first, sizeof plain.attributes[0], order);
            first = plain.count;
        }
        char *out = plain.attributes[plain.count++];
        int size = snprintf(out, 64, "%zu %d=", first, parts[i].arc);
        bool space = false, started = false;
        for (const char *c = parts[i].value; *c != '\0'; c++) {
            if (*c == ' ') {
                space = started;
                continue;
            }
            size += snprintf(out + size, 64 - (size_t)size, "%s%c", space ? " " : "", *c | 0x20);
            space = false;
            started = true;
        }
    }
    qsort(plain.attributes[first], plain.count - first, sizeof plain.attributes[0], order);
    return plain;
}

static bool plain_equal(const struct plain *a, const struct plain *b) {
    bool equal = a->count == b->count;
    for (size_t i = 0; i < a->count && equal; i++) {
        equal = strcmp(a->attributes[i], b->attributes[i]) == 0;
    }
    return equal;
}

static void draw(uint64_t *random, struct part parts[7]) {
    static const char *const values[] = {"x", "X", " x", "y", "y ", "x y", "X  Y "};
    static const uint8_t tags[] = {DER_UTF8_STRING, DER_PRINTABLE_STRING, DER_TELETEX_STRING};
    size_t count = random_next(random) % 4;
    for (size_t i = 0; i < count; i++) {
        parts[i] = (struct part){random_next(random) % 5 == 0 ? 3 : 11, tags[random_next(random) % 3],
                                 values[random_next(random) % 7], 0, i > 0 && random_next(random) % 3 != 0};
    }
    parts[count] = (struct part){.arc = 0};
}

Test(name_match, is_an_equivalence_that_the_hash_agrees_with) {
    uint64_t random = 1;
    unsigned equals = 0;
    for (unsigned i = 0; i < 60000; i++) {
        struct part parts[2][7];
        struct builder builders[2];
        struct bytes names[2];
        struct plain plains[2];
        for (size_t j = 0; j < 2; j++) {
            draw(&random, parts[j]);
            names[j] = name_of(&builders[j], parts[j]);
            plains[j] = plain_of(parts[j]);
            cr_assert(name_is_valid(names[j]) && name_equal(names[j], names[j]));
        }
        bool equal = plain_equal(&plains[0], &plains[1]);
        equals += equal;
        cr_assert_eq(name_equal(names[0], names[1]), equal, "%u", i);
        cr_assert_eq(name_equal(names[1], names[0]), equal, "%u", i);
        cr_assert_eq(name_hash(names[0]) == name_hash(names[1]), equal, "%u", i);
        bool both = name_is_within(names[0], names[1]) && name_is_within(names[1], names[0]);
        cr_assert_eq(both, equal, "%u", i);
    }
    cr_assert_gt(equals, 3000);
}

/* Sets of attributes that differ at their very end, in other letter case and order: each is read a few times, not once for
 * each of the others. */
Test(name_match, costs_what_is_read) {
    static char values[2][NAME_RDN_ATTRIBUTES_MAX][32];
    enum { ATTRIBUTES = NAME_RDN_ATTRIBUTES_MAX / 2 };
    size_t size = 0;
    struct part parts[2][NAME_RDN_ATTRIBUTES_MAX / 2 + 1];
    struct builder builders[2];
    struct bytes names[2];
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < ATTRIBUTES; j++) {
            size_t at = i == 0 ? j : ATTRIBUTES - 1 - j;
            snprintf(values[i][at], sizeof values[i][at], i == 0 ? "abc%c" : "ABC%c", (char)('a' + j));
            parts[i][at] = (struct part){11, DER_UTF8_STRING, values[i][at], 0, at > 0};
            size += strlen(values[i][at]);
        }
        parts[i][ATTRIBUTES] = (struct part){.arc = 0};
        names[i] = name_of(&builders[i], parts[i]);
    }
    uint64_t before = name_bytes_folded();
    cr_assert(name_equal(names[0], names[1]));
    cr_assert_leq(name_bytes_folded() - before, 2 * size, "hashed once and compared once");
    before = name_bytes_folded();
    name_hash(names[0]);
    cr_assert_leq(name_bytes_folded() - before, size / 2);
}
