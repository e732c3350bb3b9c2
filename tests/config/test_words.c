#include "config/words.h"

#include <criterion/criterion.h>

Test(words, times) {
    char text[WORDS_TIME_SIZE];
    cr_assert_str_eq(words_time(0, text), "1970-01-01T00:00:00Z");
    cr_assert_str_eq(words_time(253402300799, text), "9999-12-31T23:59:59Z");
}

Test(words, names_as_far_as_they_fit) {
    static const uint8_t name[] = "\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02oh";
    char text[WORDS_NAME_SIZE];
    cr_assert_str_eq(words_name(bytes_of(name, sizeof name - 1), text), "CN=oh");
    size_t size = 4;
    uint8_t large[4 + 20 * 46];
    for (unsigned i = 0; i < 20; i++) {
        static const uint8_t head[] = "\x31\x2c\x30\x2a\x06\x03\x55\x04\x03\x0c\x23";
        memcpy(large + size, head, sizeof head - 1);
        memset(large + size + sizeof head - 1, 'a', 0x23);
        size += sizeof head - 1 + 0x23;
    }
    large[0] = 0x30;
    large[1] = 0x82;
    large[2] = (uint8_t)((size - 4) >> 8);
    large[3] = (uint8_t)(size - 4);
    words_name(bytes_of(large, size), text);
    cr_assert(strlen(text) > WORDS_NAME_SIZE / 2 && strlen(text) < WORDS_NAME_SIZE);
}
