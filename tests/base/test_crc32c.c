#include "base/crc32c.h"

#include <criterion/criterion.h>

/* RFC 3720 appendix B.4. */
Test(crc32c, examples_of_the_rfc) {
    uint8_t bytes[32];

    memset(bytes, 0, sizeof bytes);
    cr_expect_eq(crc32c(0, bytes_of(bytes, sizeof bytes)), 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    cr_expect_eq(crc32c(0, bytes_of(bytes, sizeof bytes)), 0x62a8ab43);
    for (unsigned i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)i;
    }
    cr_expect_eq(crc32c(0, bytes_of(bytes, sizeof bytes)), 0x46dd794e);
    cr_expect_eq(crc32c(0, bytes_of_string("123456789")), 0xe3069283);
}

Test(crc32c, goes_on_where_it_was) {
    cr_expect_eq(crc32c(0, bytes_of(NULL, 0)), 0);
    for (size_t at = 0; at <= 9; at++) {
        uint32_t front = crc32c(0, bytes_of("123456789", at));

        cr_expect_eq(crc32c(front, bytes_of("123456789" + at, 9 - at)), 0xe3069283, "cut at %zu", at);
    }
}
