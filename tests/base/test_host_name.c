#include "base/host_name.h"

#include <criterion/criterion.h>

Test(host_name, is_folded) {
    static const struct {
        const char *name;
        enum host_name_fault fault;
        const char *folded;
    } cases[] = {
        {"example.com", HOST_NAME_GOOD, "example.com"},
        {"API-1.Example_X.COM", HOST_NAME_GOOD, "api-1.example_x.com"},
        {"example.com.", HOST_NAME_GOOD, "example.com"},
        {"-", HOST_NAME_GOOD, "-"},
        {"10.0.0.1", HOST_NAME_GOOD, "10.0.0.1"},
        {"", HOST_NAME_EMPTY, ""},
        {".", HOST_NAME_EMPTY, ""},
        {"..", HOST_NAME_EMPTY_LABEL, "."},
        {"a..b", HOST_NAME_EMPTY_LABEL, "a..b"},
        {".a", HOST_NAME_EMPTY_LABEL, ".a"},
        {"a..", HOST_NAME_EMPTY_LABEL, "a."},
        {"a b", HOST_NAME_CHARACTER, ""},
        {"*.a", HOST_NAME_CHARACTER, ""},
        {"a:1", HOST_NAME_CHARACTER, ""},
        {"b\xc3\xbc.de", HOST_NAME_CHARACTER, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char folded[HOST_NAME_SIZE] = "untouched";
        cr_expect_eq(host_name_fold(bytes_of_string(cases[i].name), folded), cases[i].fault, "%s", cases[i].name);
        cr_expect_str_eq(folded, cases[i].folded);
    }
}

Test(host_name, has_few_characters) {
    for (unsigned c = 0; c < 256; c++) {
        char folded[HOST_NAME_SIZE];
        const char name[] = {'a', (char)c, 'b'};
        bool good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
        cr_expect_eq(host_name_has((uint8_t)c), good, "byte %02x", c);
        cr_expect_eq(host_name_fold(bytes_of(name, sizeof name), folded) == HOST_NAME_GOOD, good || c == '.', "byte %02x",
                     c);
    }
}

Test(host_name, is_bounded) {
    char name[HOST_NAME_SIZE + 1];
    char folded[HOST_NAME_SIZE];
    memset(name, 'a', sizeof name);
    cr_expect_eq(host_name_fold(bytes_of(name, HOST_NAME_SIZE - 1), folded), HOST_NAME_GOOD);
    cr_expect_eq(strlen(folded), HOST_NAME_SIZE - 1);
    cr_expect_eq(host_name_fold(bytes_of(name, HOST_NAME_SIZE), folded), HOST_NAME_TOO_LONG);
    cr_expect_str_eq(folded, "");
    name[HOST_NAME_SIZE - 1] = '.';
    cr_expect_eq(host_name_fold(bytes_of(name, HOST_NAME_SIZE), folded), HOST_NAME_GOOD);
    cr_expect_eq(strlen(folded), HOST_NAME_SIZE - 1);
}
