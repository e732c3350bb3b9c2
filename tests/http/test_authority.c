#include "http/syntax.h"

#include <criterion/criterion.h>

Test(authority, names_a_host) {
    static const struct {
        const char *authority;
        const char *host;
        bool names;
    } cases[] = {
        {"api.example.com", "api.example.com", true},
        {"API.Example.COM", "api.example.com", true},
        {"api.example.com.", "api.example.com", true},
        {"api.example.com:443", "api.example.com", true},
        {"api.example.com.:8443", "api.example.com", true},
        {"api.example.com:", "api.example.com", true},
        {"api.example.com:0", "api.example.com", true},
        {"api.example.com:65535", "api.example.com", true},
        {"api.example.com:65536", "api.example.com", false},
        {"api.example.com:99999999999999999999", "api.example.com", false},
        {"api.example.com:x", "api.example.com", false},
        {"api.example.com:-1", "api.example.com", false},
        {"api.example.com:1:2", "api.example.com", false},
        {"api.example.com..", "api.example.com", false},
        {".api.example.com", "api.example.com", false},
        {"pi.example.com", "api.example.com", false},
        {"api.example.comx", "api.example.com", false},
        {"api.example.co", "api.example.com", false},
        {"api.example.com/", "api.example.com", false},
        {"api.example.com#", "api.example.com", false},
        {"api.example.com,api.example.com", "api.example.com", false},
        {" api.example.com", "api.example.com", false},
        {"user@api.example.com", "api.example.com", false},
        {"api.example.com@evil.com", "api.example.com", false},
        {"api.example.com:443@evil.com", "api.example.com", false},
        {"api%2eexample.com", "api.example.com", false},
        {"", "api.example.com", false},
        {".", "api.example.com", false},
        {":443", "api.example.com", false},
        {"a.example.com", "*.example.com", true},
        {"A.EXAMPLE.com.:443", "*.example.com", true},
        {"a.b.example.com", "*.example.com", false},
        {".example.com", "*.example.com", false},
        {"example.com", "*.example.com", false},
        {"*.example.com", "*.example.com", false},
        {"xexample.com", "*.example.com", false},
        {"a.example.com.evil.com", "*.example.com", false},
        {"com", "*.example.com", false},
        {"localhost", "*.example.com", false},
        {"[::1]", "api.example.com", false},
        {"[::1]", "*.example.com", false},
        {"[::1]:443", "::1", true},
        {"[2001:DB8::1]", "2001:db8::1", true},
        {"[::1", "::1", false},
        {"::1", "::1", false},
        {"[]", "", false},
        {"[::1]x", "::1", false},
        {"[::1]:x", "::1", false},
        {"[::1%25eth0]", "::1", false},
        {"[v1.x]", "v1.x", false},
        {"[api.example.com]", "api.example.com", false},
        {"[::ffff:127.0.0.1]", "::ffff:127.0.0.1", true},
        {"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]", "::", false},
        {"127.0.0.1:80", "127.0.0.1", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_expect_eq(http_authority_names(bytes_of_string(cases[i].authority), cases[i].host), cases[i].names, "%s and %s",
                     cases[i].authority, cases[i].host);
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
