#include "heads.h"

#include <criterion/criterion.h>

Test(message, headers_are_found_in_any_letter_case) {
    struct parse *parse =
        parse_whole(REQUEST, bytes_of_string("GET / HTTP/1.1\r\nHOST: a\r\naccept: 1\r\nACCEPT: 2\r\n\r\n"));
    const struct http_header *accept = http_find_header(&parse->message, parse->head, "Accept");
    cr_assert_not_null(accept);
    assert_span(parse, accept->value, "1");
    cr_assert_null(http_find_header(&parse->message, parse->head, "Accep"));
    cr_assert_null(http_find_header(&parse->message, parse->head, "Accept_"));
    parse_free(parse);
}
