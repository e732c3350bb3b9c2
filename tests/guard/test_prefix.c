#include "guard/prefix.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>

static bool covers(const char *text, const char *address) {
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct prefix prefix;
    const char *fault = prefix_parse(text, &prefix);
    cr_assert_null(fault, "%s %s", text, fault);
    if (inet_pton(AF_INET, address, &in.sin_addr) == 1) {
        return prefix_covers(&prefix, (struct sockaddr *)&in);
    }
    cr_assert_eq(inet_pton(AF_INET6, address, &in6.sin6_addr), 1, "%s", address);
    return prefix_covers(&prefix, (struct sockaddr *)&in6);
}

Test(prefix, covers_what_begins_like_it) {
    cr_expect(covers("192.0.2.0/24", "192.0.2.255"));
    cr_expect_not(covers("192.0.2.0/24", "192.0.3.0"));
    cr_expect(covers("192.0.2.128/25", "192.0.2.128"));
    cr_expect_not(covers("192.0.2.128/25", "192.0.2.127"));
    cr_expect(covers("10.0.0.0/9", "10.127.1.1"));
    cr_expect_not(covers("10.0.0.0/9", "10.128.0.0"));
    cr_expect(covers("192.0.2.7", "192.0.2.7"));
    cr_expect_not(covers("192.0.2.7/32", "192.0.2.6"));
    cr_expect(covers("0.0.0.0/0", "203.0.113.9"));
    cr_expect(covers("2001:db8::/33", "2001:db8:7fff::1"));
    cr_expect_not(covers("2001:db8::/33", "2001:db8:8000::1"));
    cr_expect(covers("2001:db8::1", "2001:db8::1"));
    cr_expect(covers("::/0", "2001:db8::1"));
}

Test(prefix, the_families_are_apart) {
    cr_expect_not(covers("0.0.0.0/0", "2001:db8::1"));
    cr_expect_not(covers("::/0", "192.0.2.1"));
    cr_expect(covers("192.0.2.0/24", "::ffff:192.0.2.9"));
    cr_expect_not(covers("192.0.2.0/24", "::ffff:192.0.3.9"));
    cr_expect_not(covers("::/0", "::ffff:192.0.2.9"));
}

Test(prefix, what_is_none_is_said) {
    static const struct {
        const char *text;
        const char *fault;
    } cases[] = {
        {"", "neither"},
        {"192.0.2", "neither"},
        {"example.com", "neither"},
        {"192.0.2.0 /24", "neither"},
        {"[2001:db8::]/32", "neither"},
        {"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc/1", "neither"},
        {"192.0.2.0/", "0 to 32"},
        {"192.0.2.0/33", "0 to 32"},
        {"192.0.2.0/-1", "0 to 32"},
        {"192.0.2.0/024", "0 to 32"},
        {"192.0.2.0/1x", "0 to 32"},
        {"2001:db8::/129", "0 to 128"},
        {"2001:db8::/1000", "0 to 128"},
        {"192.0.2.1/24", "bits set"},
        {"2001:db8::1/64", "bits set"},
        {"192.0.2.129/25", "bits set"},
        {"::ffff:192.0.2.0/120", "write it as IPv4"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct prefix prefix;
        const char *fault = prefix_parse(cases[i].text, &prefix);
        cr_expect(fault != NULL && strstr(fault, cases[i].fault) != NULL, "\"%s\": %s", cases[i].text, fault);
    }
}

Test(prefix, one_of_several_covers) {
    struct prefix prefixes[2];
    struct sockaddr_in in = {.sin_family = AF_INET};
    cr_assert_null(prefix_parse("10.0.0.0/8", &prefixes[0]));
    cr_assert_null(prefix_parse("192.0.2.7", &prefixes[1]));
    cr_assert_eq(inet_pton(AF_INET, "192.0.2.7", &in.sin_addr), 1);
    cr_expect(prefix_any_covers(prefixes, 2, (struct sockaddr *)&in));
    cr_expect_not(prefix_any_covers(prefixes, 1, (struct sockaddr *)&in));
    cr_expect_not(prefix_any_covers(prefixes, 0, (struct sockaddr *)&in));
}

Test(prefix, is_written_with_its_length) {
    static const char *const texts[][2] = {
        {"10.0.0.0/8", "10.0.0.0/8"},
        {"192.0.2.7", "192.0.2.7/32"},
        {"2001:DB8:0::/32", "2001:db8::/32"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"},
        {"0.0.0.0/0", "0.0.0.0/0"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct prefix prefix;
        char text[PREFIX_TEXT_SIZE];
        cr_assert_null(prefix_parse(texts[i][0], &prefix));
        prefix_write(&prefix, text);
        cr_expect_str_eq(text, texts[i][1]);
    }
}
