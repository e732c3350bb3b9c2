#include "http/syntax.h"

#include <criterion/criterion.h>

Test(syntax, lists) {
    struct bytes list = bytes_of_string(" ,, a\t, b c ,\t,d,");
    static const char *const expected[] = {"a", "b c", "d"};
    struct bytes element;
    for (size_t i = 0; i < 3; i++) {
        cr_assert(http_list_next(&list, &element));
        cr_assert(bytes_equal(element, bytes_of_string(expected[i])));
    }
    cr_assert_not(http_list_next(&list, &element));
    cr_assert_not(http_list_next(&list, &element));
}

Test(syntax, tokens) {
    cr_assert(http_is_token(bytes_of_string("X-a_9!#$%&'*+.^`|~")));
    cr_assert_not(http_is_token(bytes_of_string("")));
    cr_assert_not(http_is_token(bytes_of("a\0", 2)));
    for (const char *c = "()<>@,;:\\\"/[]?={} \t\x7f\x80"; *c != '\0'; c++) {
        cr_assert_not(http_is_token_character((uint8_t)*c), "%c", *c);
    }
}
