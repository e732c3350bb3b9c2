#include "base/check.h"
#include "config/address.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

static struct error error;

Test(address, names) {
    static const char *const good[] = {"localhost", "api.example.com", "A-1.b_c.d", "xn--bcher-kva.example", "1.example",
                                       "x1"};
    static const char *const bad[] = {"",     ".",     "a..b", ".a",     "a.",  "-a.b",    "a-.b",
                                      "a.b-", "a b",   "a/b",  "*.a",    "a.*", "1.2.3.4", "b\xc3\xbc.de",
                                      "a:1",  "[::1]", "a.12", "a\tb.c", "a,b", "a@b"};
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        cr_assert_null(address_check_name(good[i]), "%s", good[i]);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        cr_assert_not_null(address_check_name(bad[i]), "%s", bad[i]);
    }
}

Test(address, name_lengths) {
    char label[66];
    memset(label, 'a', sizeof label);
    label[63] = '\0';
    cr_assert_null(address_check_name(label));
    label[63] = 'a';
    label[64] = '\0';
    cr_assert_not_null(address_check_name(label));
    char name[256];
    for (size_t i = 0; i < sizeof name; i++) {
        name[i] = i % 2 == 0 ? 'a' : '.';
    }
    name[253] = '\0';
    cr_assert_null(address_check_name(name));
    name[253] = 'b';
    name[254] = '\0';
    cr_assert_not_null(address_check_name(name));
}

Test(address, numeric) {
    static const char *const good[] = {"0.0.0.0:8443", "127.0.0.1:1",       "255.255.255.255:65535", "[::]:8443",
                                       "[::1]:80",     "[2001:db8::1]:443", "[::ffff:1.2.3.4]:1"};
    static const char *const bad[] = {
        "",          ":",           "8443",          ":8443",         "127.0.0.1",   "127.0.0.1:",   "1.2.3:80",
        "1.2.3.4:0", "1.2.3.4:-1",  "1.2.3.4:65536", "1.2.3.4:080",   "1.2.3.4:80x", "1.2.3.256:1",  "::1:80",
        "[::1]",     "[::1]80",     "[::1:80",       "[1.2.3.4]:80",  "[]:80",       "localhost:80", "*:80",
        "[::g]:80",  " 1.2.3.4:80", "0x7f.0.0.1:80", "1.2.3.4:80:90", "127.1:80",    "[::1]:80]",    "[::1]::80"};
    struct config_address address;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        cr_assert_eq(address_parse(good[i], &address, &error), 0, "%s: %s", good[i], error.text);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        cr_assert_lt(address_parse(bad[i], &address, &error), 0, "%s", bad[i]);
    }
}

Test(address, what_is_parsed_is_what_was_written) {
    struct config_address address;
    cr_assert_eq(address_parse("192.0.2.7:8443", &address, &error), 0);
    const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)&address.address;
    cr_assert_eq(address.size, sizeof *ipv4);
    cr_assert_eq(ipv4->sin_family, AF_INET);
    cr_assert_eq(ntohl(ipv4->sin_addr.s_addr), 0xc0000207);
    cr_assert_eq(ntohs(ipv4->sin_port), 8443);
    cr_assert_eq(address_parse("[2001:db8::7]:443", &address, &error), 0);
    const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)&address.address;
    cr_assert_eq(address.size, sizeof *ipv6);
    cr_assert_eq(ipv6->sin6_addr.s6_addr[15], 7);
    cr_assert_eq(ntohs(ipv6->sin6_port), 443);
}

static struct config_address of(const char *text) {
    struct config_address address;
    cr_assert_eq(address_parse(text, &address, &error), 0, "%s: %s", text, error.text);
    return address;
}

static bool equal(const char *a, const char *b) {
    struct config_address left = of(a);
    struct config_address right = of(b);
    return address_equal(&left, &right);
}

static bool overlap(const char *a, const char *b) {
    struct config_address left = of(a);
    struct config_address right = of(b);
    return address_overlaps(&left, &right) && address_overlaps(&right, &left);
}

Test(address, comparison) {
    cr_assert(equal("[::0]:1", "[::]:1"));
    cr_assert_not(equal("[::]:1", "[::]:2"));
    cr_assert_not(equal("[::]:1", "0.0.0.0:1"));
    cr_assert_not(equal("127.0.0.1:1", "127.0.0.2:1"));
    cr_assert(overlap("0.0.0.0:1", "127.0.0.1:1"));
    cr_assert(overlap("[::]:1", "[::1]:1"));
    cr_assert_not(overlap("0.0.0.0:1", "127.0.0.1:2"));
    cr_assert_not(overlap("[::]:1", "127.0.0.1:1"));
    cr_assert_not(overlap("127.0.0.2:1", "127.0.0.1:1"));
}

Test(address, numbers_get_their_text) {
    struct config_address address;
    cr_assert_eq(address_read("127.0.0.1:9000", &address, &error), 0);
    cr_assert_str_eq(address.text, "127.0.0.1:9000");
    free(address.text);
    cr_assert_eq(address_read("[0:0::1]:9000", &address, &error), 0);
    cr_assert_str_eq(address.text, "[::1]:9000");
    free(address.text);
}

Test(address, names_are_told_from_what_is_neither) {
    struct config_address address;
    char name[ADDRESS_NAME_MAX + 1];
    cr_assert_eq(address_read("localhost:9000", &address, &error), ADDRESS_IS_NAME);
    cr_assert_eq(address_read("app.internal.:9000", &address, &error), ADDRESS_IS_NAME);
    cr_assert_eq(address_name("app.internal.:9000", name), 9000);
    cr_assert_str_eq(name, "app.internal.");
    static const char *const bad[] = {"127.1:80",    "1.2.3.400:80", "http://origin:80", "origin.example.com",
                                      "[origin]:80", "a b:80",       "localhost:0",      "localhost:http",
                                      ".:80",        "app..:80"};
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        cr_assert_lt(address_read(bad[i], &address, &error), 0, "%s", bad[i]);
    }
}

Test(address, loopback_is_what_only_this_machine_reaches) {
    static const struct {
        const char *text;
        bool expected;
    } cases[] = {
        {"127.0.0.1:1", true},  {"127.255.0.9:1", true},    {"[::1]:1", true},      {"[::ffff:127.0.0.1]:1", true},
        {"0.0.0.0:1", false},   {"10.0.0.1:1", false},      {"[::]:1", false},      {"[::ffff:10.0.0.1]:1", false},
        {"[fe80::1]:1", false}, {"[2001:db8::1]:1", false}, {"128.0.0.1:1", false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct config_address address;
        cr_assert_eq(address_parse(cases[i].text, &address, &error), 0, "%s", error.text);
        cr_assert_eq(address_is_loopback(&address), cases[i].expected, "%s", cases[i].text);
    }
}

Test(address, other_forms_are_told_what_to_write) {
    static const struct {
        const char *text;
        const char *fragment;
    } cases[] = {
        {"http://app:9000/x", "is a URL; write \"app:9000\""},
        {"HTTP://app", "is a URL; write \"app:80\""},
        {"https://[::1]", "is a URL; write \"[::1]:443\"; for TLS, set origin_tls"},
        {"http://[::1]:9000", "is a URL; write \"[::1]:9000\""},
        {"tcp://app:9000", "is a URL; write \"app:9000\""},
        {"http://", "is a URL; write host and port alone"},
        {"unix:///run/app.sock", "is a Unix socket, and only origins may be those"},
        {"unix:/run/app.sock", "is a Unix socket, and only origins may be those"},
        {"./app.sock", "is a path; write address:port, or unix: before the path"},
        {"app:9000/", "has a path"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct config_address found;
        cr_assert_lt(address_read(cases[i].text, &found, &error), 0);
        cr_assert_not_null(strstr(error.text, cases[i].fragment), "%s: %s", cases[i].text, error.text);
    }
}

static const struct sockaddr_un *local(const struct config_address *address) {
    return (const struct sockaddr_un *)&address->address;
}

Test(address, unix_sockets) {
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        {"unix:/run/app.sock", "unix:/run/app.sock"},
        {"unix:app.sock", "unix:/etc/sallyport/app.sock"},
        {"unix:./@app", "unix:/etc/sallyport/./@app"},
        {"unix:run/a b:c", "unix:/etc/sallyport/run/a b:c"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct config_address address;
        cr_assert_eq(address_unix(cases[i].text, "/etc/sallyport/", &address, &error), 0, "%s", error.text);
        cr_expect_str_eq(address.text, cases[i].expected);
        cr_expect_str_eq(local(&address)->sun_path, cases[i].expected + strlen("unix:"));
        cr_expect_eq(local(&address)->sun_family, AF_UNIX);
        cr_expect_eq(address.size, offsetof(struct sockaddr_un, sun_path) + strlen(cases[i].expected) - strlen("unix:") + 1);
        free(address.text);
    }
}

/* An abstract name has a NUL before it and none behind it. */
Test(address, unix_sockets_without_a_path) {
    struct config_address address;
    cr_assert_eq(address_unix("unix:@app", "/etc/sallyport/", &address, &error), 0);
    cr_expect_str_eq(address.text, "unix:@app");
    cr_expect_eq(address.size, offsetof(struct sockaddr_un, sun_path) + 4);
    cr_expect_arr_eq(local(&address)->sun_path, "\0app", 4);
    free(address.text);
}

Test(address, unix_sockets_that_cannot_be) {
    static const char directory[] = "/etc/sallyport/";
    struct config_address address;
    static const struct {
        const char *text;
        const char *fragment;
    } cases[] = {
        {"unix:", "has no path; write unix:/run/app.sock"},
        {"unix:@", "has no path"},
        {"UNIX:/run/app.sock", "must begin with \"unix:\" in lower case"},
        {"unix:///run/app.sock", "has \"//\" before its path; write unix:/run/app.sock"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        cr_assert_eq(address_unix(cases[i].text, directory, &address, &error), -EINVAL);
        cr_expect_not_null(strstr(error.text, cases[i].fragment), "%s", error.text);
        cr_expect_null(address.text);
    }
}

/* The last character that the system takes, and one more: also where the folder is what makes it too many. */
Test(address, unix_sockets_with_long_paths) {
    enum { MOST = sizeof((struct sockaddr_un *)0)->sun_path - 1 };
    char text[sizeof "unix:" + MOST + 1] = "unix:/";
    struct config_address address;
    memset(text + strlen("unix:/"), 'x', MOST - 1);
    cr_assert_eq(address_unix(text, "", &address, &error), 0, "%s", error.text);
    cr_expect_eq(address.size, sizeof(struct sockaddr_un));
    free(address.text);
    strcat(text, "x");
    cr_assert_eq(address_unix(text, "", &address, &error), -EINVAL);
    cr_expect_str_eq(error.text, "the path of the socket has 108 characters, and the system takes 107 at most");
    text[strlen("unix:")] = 'x';
    text[sizeof text - 2] = '\0';
    cr_assert_eq(address_unix(text, "/etc/", &address, &error), -EINVAL);
    cr_expect_not_null(strstr(error.text, "has 112 characters"), "%s", error.text);
}
