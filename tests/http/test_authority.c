#include "http/authority.h"

#include <criterion/criterion.h>

Test(authority, names_a_host) {
    static const struct {
        const char *authority;
        const char *name; /* NULL: none */
    } cases[] = {
        {"api.example.com", "api.example.com"},
        {"API.Example.COM", "api.example.com"},
        {"api.example.com.", "api.example.com"},
        {"api.example.com:443", "api.example.com"},
        {"api.example.com.:8443", "api.example.com"},
        {"api.example.com:", "api.example.com"},
        {"api.example.com:0", "api.example.com"},
        {"api.example.com:65535", "api.example.com"},
        {"api.example.com:65536", NULL},
        {"api.example.com:99999999999999999999", NULL},
        {"api.example.com:x", NULL},
        {"api.example.com:-1", NULL},
        {"api.example.com:1:2", NULL},
        {"api.example.com..", "api.example.com."},
        {".api.example.com", ".api.example.com"},
        {"api.example.com/", NULL},
        {"api.example.com#", NULL},
        {"api.example.com,api.example.com", NULL},
        {" api.example.com", NULL},
        {"user@api.example.com", NULL},
        {"api.example.com@evil.com", NULL},
        {"api.example.com:443@evil.com", NULL},
        {"api%2eexample.com", NULL},
        {"*.example.com", NULL},
        {"", NULL},
        {".", NULL},
        {".:443", NULL},
        {":443", NULL},
        {"[::1]", NULL},
        {"[::1]:443", NULL},
        {"[::1", NULL},
        {"::1", NULL},
        {"[]", NULL},
        {"[::1]x", NULL},
        {"[::1]:x", NULL},
        {"[::1%25eth0]", NULL},
        {"[v1.x]", NULL},
        {"[api.example.com]", NULL},
        {"127.0.0.1:80", "127.0.0.1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char name[HTTP_NAME_SIZE] = "untouched";
        bool named = http_authority_name(bytes_of_string(cases[i].authority), name);
        cr_expect_eq(named, cases[i].name != NULL, "%s", cases[i].authority);
        if (named && cases[i].name != NULL) {
            cr_expect_str_eq(name, cases[i].name);
        }
    }
}

Test(authority, bounds_a_name) {
    char authority[HTTP_NAME_SIZE + 1];
    char name[HTTP_NAME_SIZE];
    memset(authority, 'a', sizeof authority);
    cr_assert(http_authority_name(bytes_of(authority, HTTP_NAME_SIZE - 1), name));
    cr_assert_eq(strlen(name), HTTP_NAME_SIZE - 1);
    cr_assert_not(http_authority_name(bytes_of(authority, HTTP_NAME_SIZE), name));
}

Test(authority, holds_literals) {
    static const struct {
        const char *authority;
        const char *host; /* NULL: malformed */
    } cases[] = {
        {"[::1]:443", "::1"},
        {"[2001:DB8::1]", "2001:DB8::1"},
        {"[::ffff:127.0.0.1]", "::ffff:127.0.0.1"},
        {"[::1", NULL},
        {"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct bytes host;
        bool fine = http_authority_host(bytes_of_string(cases[i].authority), &host);
        cr_expect_eq(fine, cases[i].host != NULL, "%s", cases[i].authority);
        if (fine && cases[i].host != NULL) {
            cr_expect(bytes_equal(host, bytes_of_string(cases[i].host)));
        }
    }
}

Test(authority, holds_few_characters) {
    for (unsigned c = 0; c < 256; c++) {
        char authority[] = "a?b";
        struct bytes host;
        bool fine =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_';
        authority[1] = (char)c;
        cr_expect_eq(http_authority_host(bytes_of(authority, 3), &host), fine, "byte %02x", c);
        authority[1] = ':';
        authority[2] = (char)c;
        cr_expect_eq(http_authority_host(bytes_of(authority, 3), &host), c >= '0' && c <= '9', "byte %02x", c);
    }
    struct bytes nul = bytes_of("[::1\0]", 6);
    struct bytes host;
    cr_assert_not(http_authority_host(nul, &host));
}

Test(authority, tells_addresses_from_names) {
    static const char *const addresses[] = {"127.0.0.1",  "127.0.0.1:8443", "127.0.0.1:",          "[::1]",
                                            "[::1]:8443", "[2001:DB8::1]",  "[::ffff:127.0.0.1]:1"};
    static const char *const others[] = {
        "",          "a",   "127.0.0.1.", "127.0.0", "127.1",       "0x7f.0.0.1",  "127.0.0.256",
        "1.2.3.4.5", "::1", "[::1",       "[a]",     "127.0.0.1:x", "127.0.0.1@a", "127.0.0.1.example"};
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        cr_expect(http_authority_is_address(bytes_of_string(addresses[i])), "%s", addresses[i]);
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        cr_expect_not(http_authority_is_address(bytes_of_string(others[i])), "%s", others[i]);
    }
}
