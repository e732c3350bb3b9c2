#include "relay/tls_origin.h"

#include <criterion/criterion.h>

static const struct config_origin_tls settings;

Test(tls_origin, is_known_by_name_or_by_address) {
    struct tls_origin origin;

    tls_origin_begin(&origin, &settings, "app.internal", true, NULL);
    cr_assert_str_eq(origin.expected.name, "app.internal");
    cr_assert_eq(origin.expected.address_size, 0);
    cr_assert(origin.http2);
    tls_origin_begin(&origin, &settings, "192.0.2.7", false, NULL);
    cr_assert_null(origin.expected.name);
    cr_assert(origin.expected.address_size == 4 && origin.expected.address[3] == 7);
    tls_origin_begin(&origin, &settings, "2001:db8::9", false, NULL);
    cr_assert_null(origin.expected.name);
    cr_assert(origin.expected.address_size == 16 && origin.expected.address[15] == 9);
    tls_origin_end(&origin);
}
