#include "base/hash.h"
#include "config/header_names.h"

#include <criterion/criterion.h>

TestSuite(header_names, .init = hash_init);

Test(header_names, clashes) {
    cr_expect(header_names_clash("X-Device", "x_device"));
    cr_expect(header_names_clash("X-Device", "X-Device-Too-Large"));
    cr_expect(header_names_clash("HTTP_X_DEVICE_TOO_LARGE", "X-Device"));
    cr_expect_not(header_names_clash("X-Device", "X-Device-"));
    cr_expect_not(header_names_clash("X-Device", "XDevice"));
}

Test(header_names, the_replacement_of_a_value_is_in_the_set) {
    struct http_removals *removals = http_removals_create();
    header_names_add(removals, "X-Device");
    cr_expect(http_removals_has(removals, bytes_of_string("x.device")));
    cr_expect(http_removals_has(removals, bytes_of_string("X_DEVICE_TOO_LARGE")));
    cr_expect_not(http_removals_has(removals, bytes_of_string("X-Device-Too")));
    http_removals_free(removals);
}

Test(header_names, the_longest_name_has_a_replacement) {
    char name[HEADER_NAMES_SIZE_MAX + 1];
    memset(name, 'n', HEADER_NAMES_SIZE_MAX);
    name[HEADER_NAMES_SIZE_MAX] = '\0';
    char buffer[HEADER_NAMES_LONG_SIZE];
    cr_expect_eq(header_names_too_large(name, buffer).size, HEADER_NAMES_SIZE_MAX + strlen(IDENTITY_TOO_LARGE));
}
