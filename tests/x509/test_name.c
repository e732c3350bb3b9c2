#include "name_builder.h"
#include "x509/name.h"

Test(name, validity) {
    struct builder a;
    cr_assert(name_is_valid(SUPPORT_BYTES("\x30\x00")) && name_is_empty(SUPPORT_BYTES("\x30\x00")));
    cr_assert(name_is_valid(NAME(a, UTF8(3, "\xf0\x9f\x8d\x95"))) && !name_is_empty(bytes_of(a.data, a.size)));
    static const char *const not_utf8[] = {
        "\xff",     "\x80", "\xc3", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80",
        "a\xe2\x82"};
    for (size_t i = 0; i < sizeof not_utf8 / sizeof not_utf8[0]; i++) {
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
        size_t size = count * sizeof rdn;
        const uint8_t head[] = {0x30, 0x82, (uint8_t)(size >> 8), (uint8_t)size};
        memcpy(data, head, sizeof head);
        for (size_t i = 0; i < count; i++) {
            memcpy(data + sizeof head + i * sizeof rdn, rdn, sizeof rdn);
        }
        cr_assert_eq(name_is_valid(bytes_of(data, sizeof head + size)), count == NAME_ATTRIBUTES_MAX);
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
