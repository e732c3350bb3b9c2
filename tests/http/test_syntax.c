#include "http/syntax.h"

#include <criterion/criterion.h>

Test(syntax, kinds_of_headers) {
    static const struct {
        const char *name;
        enum http_header_kind kind;
    } cases[] = {
        {"Host", HTTP_HEADER_HOST},
        {"CONTENT-LENGTH", HTTP_HEADER_CONTENT_LENGTH},
        {"content_length", HTTP_HEADER_LOOKALIKE},
        {"transfer-encoding", HTTP_HEADER_TRANSFER_ENCODING},
        {"Transfer_Encoding", HTTP_HEADER_LOOKALIKE},
        {"connection", HTTP_HEADER_CONNECTION},
        {"Keep-Alive", HTTP_HEADER_HOP_BY_HOP},
        {"keep_alive", HTTP_HEADER_LOOKALIKE},
        {"te", HTTP_HEADER_HOP_BY_HOP},
        {"Trailer", HTTP_HEADER_HOP_BY_HOP},
        {"Upgrade", HTTP_HEADER_UPGRADE},
        {"Expect", HTTP_HEADER_EXPECT},
        {"X-Request-ID", HTTP_HEADER_REQUEST_ID},
        {"X_Request-ID", HTTP_HEADER_LOOKALIKE},
        {"Proxy-Connection", HTTP_HEADER_HOP_BY_HOP},
        {"HTTP2-Settings", HTTP_HEADER_HOP_BY_HOP},
        {"Hosts", HTTP_HEADER_END_TO_END},
        {"Hos", HTTP_HEADER_END_TO_END},
        {"Upgrade-Insecure-Requests", HTTP_HEADER_END_TO_END},
        {"", HTTP_HEADER_END_TO_END},
        {"Accept_Language", HTTP_HEADER_END_TO_END},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_expect_eq(http_header_kind_of(bytes_of_string(cases[i].name)), cases[i].kind, "%s", cases[i].name);
    }
}

Test(syntax, lists) {
    struct bytes list = bytes_of_string(" ,, a\t, b c ,\t,d,");
    struct bytes element;
    static const char *const expected[] = {"a", "b c", "d"};
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
