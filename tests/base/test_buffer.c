#include "base/buffer.h"

#include <criterion/criterion.h>
#include <stdlib.h>

Test(buffer, appends_one_after_another) {
    struct buffer buffer = {0};
    buffer_append(&buffer, NULL, 0);
    buffer_append_string(&buffer, "");
    buffer_append_string(&buffer, "ab");
    buffer_append(&buffer, "\0cd", 2);
    cr_assert(bytes_equal(bytes_of(buffer.data, buffer.size), bytes_of("ab\0c", 4)));
    cr_assert_not(buffer.failed);
    free(buffer.data);
}

Test(buffer, grows_and_keeps_what_it_has) {
    struct buffer buffer = {0};
    for (unsigned i = 0; i < 1000000; i++) {
        buffer_append(&buffer, &(char){(char)('a' + i % 26)}, 1);
    }
    cr_assert_eq(buffer.size, 1000000);
    size_t wrong = 0;
    for (unsigned i = 0; i < 1000000; i++) {
        wrong += buffer.data[i] != (char)('a' + i % 26);
    }
    cr_assert_eq(wrong, 0);
    free(buffer.data);
}

Test(buffer, more_at_once_than_doubling_gives) {
    static const char large[300000] = {1};
    struct buffer buffer = {0};
    buffer_append_string(&buffer, "x");
    buffer_append(&buffer, large, sizeof large);
    cr_assert_eq(buffer.size, 1 + sizeof large);
    cr_assert_eq(memcmp(buffer.data + 1, large, sizeof large), 0);
    free(buffer.data);
}

Test(buffer, after_a_failure_nothing_more_is_added) {
    struct buffer buffer = {0};
    buffer_append_string(&buffer, "kept");
    buffer_append(&buffer, buffer.data, SIZE_MAX / 2);
    cr_assert(buffer.failed);
    buffer_append_string(&buffer, "y");
    cr_assert(bytes_equal(bytes_of(buffer.data, buffer.size), bytes_of_string("kept")));
    free(buffer.data);
}
