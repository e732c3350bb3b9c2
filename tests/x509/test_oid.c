#include "support.h"
#include "x509/oid.h"

Test(oid, goes_to_text_and_back) {
    static const char *const oids[] = {
        "1.2.840.113549.1.1.11",  "2.5.4.3", "0.9.2342.19200300.100.1.25", "2.999.3", "1.0", "0.0", "2.0.0",
        "1.3.6.1.4.1.4294967296",
    };
    for (size_t i = 0; i < sizeof oids / sizeof oids[0]; i++) {
        uint8_t content[32];
        size_t size;
        cr_assert(oid_parse(oids[i], content, sizeof content, &size), "%s", oids[i]);
        char buffer[64];
        struct text text = text_over(buffer, sizeof buffer);
        oid_append(&text, bytes_of(content, size));
        cr_assert(bytes_equal(text_bytes(&text), bytes_of_string(oids[i])), "%s: %.*s", oids[i], (int)text.size, buffer);
    }
}

Test(oid, is_encoded_as_der_has_it) {
    uint8_t content[32];
    size_t size;
    cr_assert(oid_parse("1.2.840.113549", content, sizeof content, &size));
    cr_assert(bytes_equal(bytes_of(content, size), SUPPORT_BYTES("\x2a\x86\x48\x86\xf7\x0d")));
    cr_assert(oid_parse("2.999", content, sizeof content, &size));
    cr_assert(bytes_equal(bytes_of(content, size), SUPPORT_BYTES("\x88\x37")));
}

Test(oid, refuses_what_is_none) {
    static const char *const bad[] = {
        "",
        "1",
        "1.",
        ".1",
        "1.2.",
        "1..2",
        "3.1",
        "0.40",
        "1.40",
        "01.2",
        "1.02",
        "1.2 ",
        " 1.2",
        "1.2.a",
        "1,2",
        "1.-2",
        "1.2.99999999999999999999",
        "1.2.72057594037927936",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t content[32];
        size_t size;
        cr_assert(!oid_parse(bad[i], content, sizeof content, &size), "%s", bad[i]);
    }
}

Test(oid, must_fit) {
    uint8_t content[3];
    size_t size;
    cr_assert(oid_parse("1.2.3.4", content, sizeof content, &size) && size == 3);
    cr_assert(!oid_parse("1.2.3.4.5", content, sizeof content, &size));
    cr_assert(!oid_parse("1.2.3.128", content, sizeof content, &size));
}
