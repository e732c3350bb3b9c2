#include "base/bytes.h"

#include <criterion/criterion.h>

Test(bytes, views_of_different_size_or_content_differ) {
    cr_assert(bytes_equal(bytes_of_string("abc"), bytes_of("abcd", 3)));
    cr_assert(!bytes_equal(bytes_of_string("abc"), bytes_of_string("abcd")));
    cr_assert(!bytes_equal(bytes_of_string("abc"), bytes_of_string("abd")));
    cr_assert(!bytes_equal(bytes_of_string("abc"), bytes_of_string("ABC")));
}

Test(bytes, empty_views_are_equal_wherever_they_are) {
    cr_assert(bytes_equal(bytes_of(NULL, 0), bytes_of("x", 0)));
    cr_assert(bytes_equal_ignoring_case(bytes_of(NULL, 0), bytes_of("x", 0)));
}

Test(bytes, only_ascii_letters_have_two_cases) {
    cr_assert(bytes_equal_ignoring_case(bytes_of_string("Api.EXAMPLE.com"), bytes_of_string("aPI.example.COM")));
    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            uint8_t left = (uint8_t)a, right = (uint8_t)b;
            bool letters = (a ^ b) == 0x20 && (a | 0x20) >= 'a' && (a | 0x20) <= 'z';
            cr_assert_eq(bytes_equal_ignoring_case(bytes_of(&left, 1), bytes_of(&right, 1)), a == b || letters,
                         "0x%02x and 0x%02x", a, b);
        }
    }
}

Test(bytes, ignoring_case_a_prefix_is_not_equal) {
    cr_assert(!bytes_equal_ignoring_case(bytes_of_string("host"), bytes_of_string("hos")));
}

Test(reader, reads_big_endian_fields_in_order) {
    static const uint8_t data[] = {1, 2, 3, 0xff, 0xfe, 0xfd, 0xfc, 'x', 'y'};
    struct reader reader = reader_of(bytes_of(data, sizeof data));
    cr_assert_eq(reader_u8(&reader), 1);
    cr_assert_eq(reader_u16(&reader), 0x0203);
    cr_assert_eq(reader_u32(&reader), 0xfffefdfc);
    cr_assert_eq(reader_left(&reader), 2);
    cr_assert(bytes_equal(reader_bytes(&reader, 2), bytes_of_string("xy")));
    cr_assert_eq(reader_left(&reader), 0);
    cr_assert(!reader.failed);
}

Test(reader, each_field_fails_when_a_byte_is_missing) {
    static const uint8_t data[] = {0xff, 0xff, 0xff};
    struct reader reader = reader_of(bytes_of(data, 0));
    cr_assert_eq(reader_u8(&reader), 0);
    cr_assert(reader.failed);
    reader = reader_of(bytes_of(data, 1));
    cr_assert_eq(reader_u16(&reader), 0);
    cr_assert(reader.failed);
    reader = reader_of(bytes_of(data, 3));
    cr_assert_eq(reader_u32(&reader), 0);
    cr_assert(reader.failed);
}

Test(reader, once_failed_it_yields_nothing_more_and_nothing_is_left) {
    static const uint8_t data[] = {7, 8, 9};
    struct reader reader = reader_of(bytes_of(data, sizeof data));
    cr_assert_eq(reader_u32(&reader), 0);
    cr_assert_eq(reader_u8(&reader), 0, "a shorter field that would have fitted");
    struct bytes none = reader_bytes(&reader, 0);
    cr_assert_eq(none.size, 0);
    cr_assert_null(none.data);
    cr_assert_eq(reader_left(&reader), 0);
    cr_assert(reader.failed);
}

Test(reader, an_enormous_size_does_not_wrap) {
    static const uint8_t data[] = {1, 2, 3};
    struct reader reader = reader_of(bytes_of(data, sizeof data));
    cr_assert_eq(reader_bytes(&reader, SIZE_MAX).size, 0);
    cr_assert(reader.failed);
}

Test(reader, an_empty_view_at_null_can_be_read_to_its_end) {
    struct reader reader = reader_of(bytes_of(NULL, 0));
    cr_assert_eq(reader_left(&reader), 0);
    cr_assert_eq(reader_bytes(&reader, 0).size, 0);
    cr_assert(!reader.failed);
    cr_assert_eq(reader_u8(&reader), 0);
    cr_assert(reader.failed);
}

Test(reader, nested_readers_stay_in_their_view) {
    static const uint8_t data[] = {0, 2, 0xaa, 0xbb, 0xcc};
    struct reader outer = reader_of(bytes_of(data, sizeof data));
    struct reader inner = reader_of(reader_bytes(&outer, reader_u16(&outer)));
    cr_assert_eq(reader_u32(&inner), 0);
    cr_assert(inner.failed);
    cr_assert_eq(reader_u8(&outer), 0xcc);
    cr_assert(!outer.failed);
}
