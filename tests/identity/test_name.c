#include "identity/name.h"
#include "name_builder.h"

static void assert_equal(struct bytes a, struct bytes b, bool equal) {
    cr_assert(name_is_valid(a) && name_is_valid(b));
    cr_assert_eq(name_equal(a, b), equal);
    cr_assert_eq(name_equal(b, a), equal);
    cr_assert(!equal || name_hash(a) == name_hash(b));
}

Test(name, case_and_spaces_do_not_matter) {
    struct builder a, b;
    assert_equal(NAME(a, UTF8(10, "Works"), UTF8(3, "My CA")), NAME(b, PRINTABLE(10, "WORKS"), PRINTABLE(3, "  my   ca ")),
                 true);
    assert_equal(NAME(a, UTF8(3, "My CA")), NAME(b, UTF8(3, "MyCA")), false);
    assert_equal(NAME(a, UTF8(3, "")), NAME(b, UTF8(3, "   ")), true);
    assert_equal(NAME(a, UTF8(3, "a")), NAME(b, UTF8(3, "a b")), false);
    assert_equal(NAME(a, UTF8(3, "a b")), NAME(b, UTF8(3, "a b c")), false);
}

Test(name, the_string_type_does_not_matter) {
    struct builder a, b;
    struct bytes utf8 = NAME(a, UTF8(3, "Gr\xc3\xb6\xc3\x9f"
                                        "e"));
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

Test(name, what_is_no_string_is_compared_as_it_is) {
    struct builder a, b;
    assert_equal(NAME(a, {45, DER_BIT_STRING, "\0A", 2, false}), NAME(b, {45, DER_BIT_STRING, "\0A", 2, false}), true);
    assert_equal(NAME(a, {45, DER_BIT_STRING, "\0A", 2, false}), NAME(b, {45, DER_BIT_STRING, "\0a", 2, false}), false);
    assert_equal(NAME(a, {45, DER_OCTET_STRING, "A", 0, false}), NAME(b, UTF8(45, "A")), false);
}

Test(name, attribute_types_and_their_order_matter) {
    struct builder a, b;
    assert_equal(NAME(a, UTF8(3, "x")), NAME(b, UTF8(11, "x")), false);
    assert_equal(NAME(a, UTF8(10, "x"), UTF8(3, "y")), NAME(b, UTF8(3, "y"), UTF8(10, "x")), false);
    assert_equal(NAME(a, UTF8(10, "x"), UTF8(3, "y")), NAME(b, UTF8(10, "x")), false);
    assert_equal(NAME(a, UTF8(11, "a"), UTF8(11, "b")), NAME(b, UTF8(11, "b"), UTF8(11, "a")), false);
    cr_assert_neq(name_hash(NAME(a, UTF8(11, "a"), UTF8(11, "b"))), name_hash(NAME(b, UTF8(11, "b"), UTF8(11, "a"))));
}

Test(name, within_one_rdn_order_does_not_matter) {
    struct builder a, b;
    struct bytes one = NAME(a, UTF8(10, "o"), UTF8(3, "c"), {11, DER_UTF8_STRING, "u", 0, true});
    assert_equal(one, NAME(b, UTF8(10, "o"), UTF8(11, "U"), {3, DER_UTF8_STRING, "C", 0, true}), true);
    assert_equal(one, NAME(b, UTF8(10, "o"), UTF8(11, "u"), UTF8(3, "c")), false);
    assert_equal(one, NAME(b, UTF8(10, "o"), UTF8(3, "c")), false);
    struct bytes twice = NAME(a, UTF8(3, "c"), {3, DER_UTF8_STRING, "d", 0, true});
    assert_equal(twice, NAME(b, UTF8(3, "c"), {3, DER_UTF8_STRING, "e", 0, true}), false);
}

Test(name, a_subtree_is_what_begins_alike) {
    struct builder a, b;
    struct bytes name = NAME(a, UTF8(6, "DE"), UTF8(10, "Works"), UTF8(3, "x"));
    cr_assert(name_is_within(name, name));
    cr_assert(name_is_within(name, NAME(b, PRINTABLE(6, "de"), UTF8(10, "WORKS"))));
    cr_assert(name_is_within(name, SUPPORT_BYTES("\x30\x00")));
    cr_assert(!name_is_within(name, NAME(b, UTF8(10, "Works"))));
    cr_assert(!name_is_within(name, NAME(b, UTF8(6, "DE"), UTF8(10, "Work"))));
    cr_assert(!name_is_within(SUPPORT_BYTES("\x30\x00"), NAME(b, UTF8(6, "DE"))));
}

Test(name, validity) {
    struct builder a;
    cr_assert(name_is_valid(SUPPORT_BYTES("\x30\x00")) && name_is_empty(SUPPORT_BYTES("\x30\x00")));
    cr_assert(name_is_valid(NAME(a, UTF8(3, "\xf0\x9f\x8d\x95"))) && !name_is_empty(bytes_of(a.data, a.size)));
    static const char *const not_utf8[] = {
        "\xff",     "\x80", "\xc3", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80",
        "a\xe2\x82"};
    for (size_t i = 0; i < sizeof(not_utf8) / sizeof(not_utf8[0]); i++) {
        cr_assert(!name_is_valid(NAME(a, UTF8(3, not_utf8[i]))), "%zu", i);
    }
    cr_assert(!name_is_valid(NAME(a, {3, DER_UTF8_STRING, "a\0b", 3, false})));
    cr_assert(!name_is_valid(NAME(a, {3, DER_PRINTABLE_STRING, "\0", 1, false})));
    cr_assert(!name_is_valid(NAME(a, {3, DER_BMP_STRING, "\0", 1, false})));
    cr_assert(!name_is_valid(NAME(a, {3, DER_BMP_STRING, "\xd8\x3c\xdf\x55", 4, false})), "surrogates");
    cr_assert(!name_is_valid(NAME(a, {3, DER_UNIVERSAL_STRING, "\0\x11\0\0", 4, false})));
    cr_assert(!name_is_valid(SUPPORT_BYTES("\x30\x02\x31\x00")), "an RDN without attributes");
    cr_assert(!name_is_valid(SUPPORT_BYTES("\x30\x00\x00")));
    cr_assert(!name_is_valid(SUPPORT_BYTES("\x31\x00")));
    cr_assert(!name_is_valid(SUPPORT_BYTES("\x30\x09\x31\x07\x30\x05\x06\x03\x55\x04\x03")), "no value");
    cr_assert(!name_is_valid(bytes_of(NULL, 0)));
}

Test(name, every_cut_of_a_name_is_invalid) {
    struct builder a;
    struct bytes name = NAME(a, UTF8(6, "DE"), UTF8(3, "x"));
    for (size_t size = 0; size < name.size; size++) {
        uint8_t *copy = malloc(size > 0 ? size : 1);
        memcpy(copy, name.data, size);
        cr_assert(!name_is_valid(bytes_of(copy, size)));
        free(copy);
    }
}

Test(name, has_at_most_so_many_attributes) {
    static uint8_t data[4 + (NAME_ATTRIBUTES_MAX + 1) * 12];
    static const uint8_t rdn[] = {0x31, 0x0a, 0x30, 0x08, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x01, 'x'};
    for (size_t count = NAME_ATTRIBUTES_MAX; count <= NAME_ATTRIBUTES_MAX + 1; count++) {
        size_t size = count * sizeof(rdn);
        const uint8_t head[] = {0x30, 0x82, (uint8_t)(size >> 8), (uint8_t)size};
        memcpy(data, head, sizeof(head));
        for (size_t i = 0; i < count; i++) {
            memcpy(data + sizeof(head) + i * sizeof(rdn), rdn, sizeof(rdn));
        }
        cr_assert_eq(name_is_valid(bytes_of(data, sizeof(head) + size)), count == NAME_ATTRIBUTES_MAX);
    }
}

Test(name, finds_the_first_attribute_of_a_type) {
    struct builder a;
    struct bytes name = NAME(a, UTF8(11, "one"), UTF8(11, "two"));
    struct name_attribute attribute;
    cr_assert(name_find(name, SUPPORT_BYTES("\x55\x04\x0b"), &attribute));
    cr_assert(bytes_equal(attribute.value, bytes_of_string("one")) && attribute.rdn == 0);
    cr_assert(!name_find(name, SUPPORT_BYTES("\x55\x04\x03"), &attribute));
}
