#include "base/check.h"
#include "base/utf8.h"

#include <criterion/criterion.h>

/* One code point decoded the plain way: its value, or -1. */
static long decode(const uint8_t *data, size_t size) {
    static const long least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = data[0] < 0x80 ? 1 : data[0] >= 0xf0 ? 4 : data[0] >= 0xe0 ? 3 : 2;
    if (length > size || (data[0] >= 0x80 && data[0] < 0xc0) || data[0] > 0xf7) {
        return -1;
    }
    long value = length == 1 ? data[0] : data[0] & (0xff >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((data[i] & 0xc0) != 0x80) {
            return -1;
        }
        value = value << 6 | (data[i] & 0x3f);
    }
    bool fine = value >= least[length] && value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
    return fine ? value : -1;
}

/* Holds utf8_size and utf8_read against the plain decoder. */
static void assert_read(const uint8_t *data, size_t size) {
    long expected = decode(data, size);
    struct bytes rest = bytes_of(data, size);
    uint32_t character;
    size_t skip;
    size_t found = utf8_size(rest, &skip);
    cr_assert_eq(utf8_read(&rest, &character), expected >= 0, "%02x %02x", data[0], size > 1 ? data[1] : 0);
    cr_assert_eq(found > 0, expected >= 0);
    if (expected >= 0) {
        cr_assert_eq(character, (uint32_t)expected);
        cr_assert_eq(rest.size, size - found);
        cr_assert_eq(rest.data, data + found);
    } else {
        cr_assert(skip >= 1 && skip <= 3 && skip <= size);
    }
}

Test(utf8, every_code_point_is_written_and_read_back) {
    for (uint32_t character = 0; character <= 0x10ffff; character++) {
        uint8_t data[UTF8_SIZE_MAX];
        size_t size = utf8_write(character, data);
        bool surrogate = character >= 0xd800 && character <= 0xdfff;
        cr_assert_eq(size, character < 0x80 ? 1u : character < 0x800 ? 2u : character < 0x10000 ? 3u : 4u);
        cr_assert_eq(decode(data, size), surrogate ? -1 : (long)character);
        assert_read(data, size);
    }
}

Test(utf8, every_pair_of_bytes_before_any_end_is_read_as_the_standard_says) {
    static const uint8_t ends[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff};
    for (unsigned first = 0; first < 256; first++) {
        for (unsigned second = 0; second < 256; second++) {
            for (size_t i = 0; i < ARRAY_LENGTH(ends) * ARRAY_LENGTH(ends); i++) {
                const uint8_t data[] = {(uint8_t)first, (uint8_t)second, ends[i / ARRAY_LENGTH(ends)],
                                        ends[i % ARRAY_LENGTH(ends)]};
                for (size_t size = 1; size <= sizeof data; size++) {
                    assert_read(data, size);
                }
            }
        }
    }
}

Test(utf8, one_replacement_stands_for_the_bytes_that_could_have_been_one_character) {
    static const struct {
        const char *text;
        size_t skip;
    } cases[] = {
        {"\xff", 1},         {"\x80\x80", 1},     {"\xc3", 1},         {"\xe2\x82", 2},
        {"\xe2\x82\"", 2},   {"\xc0\xaf", 1},     {"\xe0\x9f\xbf", 1}, {"\xed\xa0\x80", 1},
        {"\xf0\x9f\x8d", 3}, {"\xf4\x90\x80", 1}, {"\xf5\x80", 1},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        size_t skip;
        cr_expect_eq(utf8_size(bytes_of_string(cases[i].text), &skip), 0);
        cr_expect_eq(skip, cases[i].skip, "case %zu", i);
    }
}

Test(utf8, text_is_cut_where_a_character_ends) {
    static const char text[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x8d\x95z"; /* 1, 2, 3, 4 and 1 bytes */
    static const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
    for (size_t most = 0; most < ARRAY_LENGTH(expected); most++) {
        struct bytes cut = utf8_cut(bytes_of_string(text), most);
        cr_expect_eq(cut.size, expected[most], "%zu", most);
        cr_expect_eq((const char *)cut.data, text);
    }
    cr_expect_eq(utf8_cut(bytes_of(NULL, 0), 4).size, 0);
}
