#include "x509/server_name.h"

#include <criterion/criterion.h>

enum { NAMES_SIZE = 512 };

/* A certificate with these DNS names, and an IP address where there is "IP". */
static struct certificate with_names(const char *const *names, uint8_t buffer[static NAMES_SIZE]) {
    size_t size = 0;
    for (; *names != NULL; names++) {
        bool is_ip = strcmp(*names, "IP") == 0;
        struct bytes value = is_ip ? bytes_of("\xc0\x00\x02\x01", 4) : bytes_of_string(*names);
        buffer[size++] = is_ip ? GENERAL_NAME_IP : GENERAL_NAME_DNS;
        buffer[size++] = (uint8_t)value.size;
        memcpy(buffer + size, value.data, value.size);
        size += value.size;
    }
    return (struct certificate){.san = bytes_of(buffer, size)};
}

#define NAMES(...) with_names((const char *const[]){__VA_ARGS__, NULL}, (uint8_t[NAMES_SIZE]){0})

Test(server_name, covers_what_it_names) {
    struct certificate certificate = NAMES("IP", "WWW.example.com", "*.api.example.com");
    cr_assert(server_name_is_covered(&certificate, "www.example.com"));
    cr_assert(server_name_is_covered(&certificate, "v1.api.example.com"));
    cr_assert(server_name_is_covered(&certificate, "*.api.example.com"));
    cr_assert_not(server_name_is_covered(&certificate, "example.com"));
    cr_assert_not(server_name_is_covered(&certificate, "api.example.com"));
    cr_assert_not(server_name_is_covered(&certificate, "a.v1.api.example.com"), "a wildcard is one label");
    cr_assert_not(server_name_is_covered(&certificate, "*.example.com"));
    cr_assert_not(server_name_is_covered(&certificate, "192.0.2.1"));
    cr_assert(server_name_has_ip(&certificate));
}

Test(server_name, takes_no_part_of_a_label_for_a_wildcard) {
    struct certificate certificate = NAMES("w*.example.com", "*", "*.");
    cr_assert_not(server_name_is_covered(&certificate, "www.example.com"));
    cr_assert_not(server_name_is_covered(&certificate, "com"));
    cr_assert_not(server_name_is_covered(&certificate, "*.example.com"));
    cr_assert_not(server_name_has_ip(&certificate));
}

Test(server_name, lists_its_names) {
    struct certificate certificate = NAMES("a.example", "IP");
    char buffer[NAMES_SIZE];
    struct text text = text_over(buffer, sizeof buffer - 1);
    server_name_append_all(&text, &certificate);
    buffer[text.size] = '\0';
    cr_assert_str_eq(buffer, "\"a.example\", \"192.0.2.1\"");
    struct certificate none = {0};
    text = text_over(buffer, sizeof buffer);
    server_name_append_all(&text, &none);
    cr_assert_eq(text.size, 0);
    cr_assert_not(server_name_is_covered(&none, "a.example"));
}

Test(server_name, has_an_address_octet_by_octet) {
    struct certificate certificate = NAMES("IP", "192.0.2.2");
    cr_assert(server_name_has_address(&certificate, bytes_of("\xc0\x00\x02\x01", 4)));
    cr_assert_not(server_name_has_address(&certificate, bytes_of("\xc0\x00\x02\x02", 4)), "a DNS name is no address");
    cr_assert_not(server_name_has_address(&certificate, bytes_of("\xc0\x00\x02", 3)));
    cr_assert_not(server_name_has_address(&certificate, (struct bytes){0}));
}
