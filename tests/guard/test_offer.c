#include "builder.h"
#include "guard/offer.h"

#include <criterion/criterion.h>

/* A spec's body read from memory of exactly its size. The offer's views are gone afterwards. */
static bool read_spec(const struct hello_spec *spec, struct offer *offer, struct hello *hello) {
    static struct builder body;

    build_body(&body, spec);
    uint8_t *copy = malloc(body.size);
    cr_assert_not_null(copy);
    memcpy(copy, body.data, body.size);
    *hello = (struct hello){0};
    bool read = offer_read(bytes_of(copy, body.size), offer, hello);
    free(copy);
    return read;
}

static void expect_read(const struct hello_spec *spec, struct hello *hello) {
    struct offer offer;
    cr_expect(read_spec(spec, &offer, hello), "%s", hello->fault);
}

static void expect_rejected(const struct hello_spec *spec, enum tls_alert alert, const char *what) {
    struct offer offer;
    struct hello hello;
    cr_expect_not(read_spec(spec, &offer, &hello), "%s", what);
    cr_expect_eq(hello.alert, alert, "%s: %d %s", what, hello.alert, hello.fault);
}

Test(offer, malformed_extensions_are_rejected) {
    static const struct {
        const char *name;
        unsigned type;
        const char *content;
        enum tls_alert alert;
    } cases[] = {
        {"SNI: empty, as only a server sends it", 0, "", TLS_ALERT_DECODE_ERROR},
        {"SNI: empty list", 0, "0000", TLS_ALERT_DECODE_ERROR},
        {"SNI: list shorter than the extension", 0, "0004 00 0001 61 00", TLS_ALERT_DECODE_ERROR},
        {"SNI: list longer than the extension", 0, "0005 00 0001 61", TLS_ALERT_DECODE_ERROR},
        {"SNI: name longer than the list", 0, "0004 00 0002 61", TLS_ALERT_DECODE_ERROR},
        {"SNI: name without a length", 0, "0002 00 00", TLS_ALERT_DECODE_ERROR},
        {"SNI: empty name", 0, "0003 00 0000", TLS_ALERT_DECODE_ERROR},
        {"SNI: two names", 0, "0008 00 0001 61 00 0001 62", TLS_ALERT_ILLEGAL_PARAMETER},
        {"SNI: only a name of another type", 0, "0004 01 0001 61", TLS_ALERT_ILLEGAL_PARAMETER},
        {"SNI: NUL", 0, "0006 00 0003 610062", TLS_ALERT_ILLEGAL_PARAMETER},
        {"SNI: a blank", 0, "0006 00 0003 612062", TLS_ALERT_ILLEGAL_PARAMETER},
        {"SNI: UTF-8", 0, "0006 00 0003 61c3a4", TLS_ALERT_ILLEGAL_PARAMETER},
        {"SNI: nearly IPv6", 0, "0006 00 0003 3a3a67", TLS_ALERT_ILLEGAL_PARAMETER},
        {"SNI: an address, then NUL", 0, "0007 00 0004 3a3a3100", TLS_ALERT_ILLEGAL_PARAMETER},
        {"SNI: nothing in brackets", 0, "0005 00 0002 5b5d", TLS_ALERT_ILLEGAL_PARAMETER},
        {"SNI: a star", 0, "0006 00 0003 2a2e61", TLS_ALERT_ILLEGAL_PARAMETER},
        {"SNI: empty label", 0, "0007 00 0004 612e2e62", TLS_ALERT_ILLEGAL_PARAMETER},
        {"SNI: two dots at the end", 0, "0006 00 0003 612e2e", TLS_ALERT_ILLEGAL_PARAMETER},
        {"SNI: dot in front", 0, "0005 00 0002 2e61", TLS_ALERT_ILLEGAL_PARAMETER},
        {"SNI: only a dot", 0, "0004 00 0001 2e", TLS_ALERT_ILLEGAL_PARAMETER},
        {"groups: empty", 10, "", TLS_ALERT_DECODE_ERROR},
        {"groups: empty list", 10, "0000", TLS_ALERT_DECODE_ERROR},
        {"groups: odd", 10, "0003 001d00", TLS_ALERT_DECODE_ERROR},
        {"groups: list shorter", 10, "0002 001d 0017", TLS_ALERT_DECODE_ERROR},
        {"groups: list longer", 10, "0006 001d 0017", TLS_ALERT_DECODE_ERROR},
        {"point formats: empty", 11, "", TLS_ALERT_DECODE_ERROR},
        {"point formats: empty list", 11, "00", TLS_ALERT_DECODE_ERROR},
        {"point formats: list longer", 11, "02 00", TLS_ALERT_DECODE_ERROR},
        {"point formats: none uncompressed", 11, "02 0102", TLS_ALERT_ILLEGAL_PARAMETER},
        {"signatures: empty", 13, "", TLS_ALERT_DECODE_ERROR},
        {"signatures: empty list", 13, "0000", TLS_ALERT_DECODE_ERROR},
        {"signatures: odd", 13, "0003 040308", TLS_ALERT_DECODE_ERROR},
        {"signatures: list shorter", 13, "0002 0403 08", TLS_ALERT_DECODE_ERROR},
        {"signatures_cert: odd", 50, "0003 040308", TLS_ALERT_DECODE_ERROR},
        {"signatures_cert: empty list", 50, "0000", TLS_ALERT_DECODE_ERROR},
        {"ALPN: empty", 16, "", TLS_ALERT_DECODE_ERROR},
        {"ALPN: empty list", 16, "0000", TLS_ALERT_DECODE_ERROR},
        {"ALPN: empty name", 16, "0001 00", TLS_ALERT_DECODE_ERROR},
        {"ALPN: empty name behind another", 16, "0004 02 6832 00", TLS_ALERT_DECODE_ERROR},
        {"ALPN: name longer than the list", 16, "0003 03 6832", TLS_ALERT_DECODE_ERROR},
        {"ALPN: list shorter", 16, "0003 02 6832 00", TLS_ALERT_DECODE_ERROR},
        {"encrypt_then_mac with content", 22, "00", TLS_ALERT_DECODE_ERROR},
        {"extended_master_secret with content", 23, "00", TLS_ALERT_DECODE_ERROR},
        {"early_data with content", 42, "00000000", TLS_ALERT_DECODE_ERROR},
        {"versions: empty", 43, "", TLS_ALERT_DECODE_ERROR},
        {"versions: empty list", 43, "00", TLS_ALERT_DECODE_ERROR},
        {"versions: odd", 43, "03 030403", TLS_ALERT_DECODE_ERROR},
        {"versions: as a server sends it", 43, "0304", TLS_ALERT_DECODE_ERROR},
        {"renegotiation_info: empty", 0xff01, "", TLS_ALERT_DECODE_ERROR},
        {"renegotiation_info: longer than the extension", 0xff01, "01", TLS_ALERT_DECODE_ERROR},
        {"renegotiation_info: of a renegotiation", 0xff01, "01 00", TLS_ALERT_HANDSHAKE_FAILURE},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct hello_spec spec = spec_tls13();
        spec_set(&spec, cases[i].type, cases[i].content);
        expect_rejected(&spec, cases[i].alert, cases[i].name);
        spec = spec_tls12();
        spec_set(&spec, cases[i].type, cases[i].content);
        expect_rejected(&spec, cases[i].alert, cases[i].name);
    }
}

Test(offer, malformed_key_exchange_modes_are_rejected) {
    static const char *const contents[] = {"", "00", "50 01", "01 01 00"};

    for (size_t i = 0; i < ARRAY_LENGTH(contents); i++) {
        struct hello_spec spec = spec_tls13();
        spec_set(&spec, 45, contents[i]);
        expect_rejected(&spec, TLS_ALERT_DECODE_ERROR, contents[i]);
    }
}

Test(offer, malformed_fields_are_rejected) {
    struct hello_spec spec = spec_tls13();
    spec.session_id = HEX_32 "21";
    expect_rejected(&spec, TLS_ALERT_DECODE_ERROR, "session ID of 33 bytes");
    spec = spec_tls13();
    spec.suites = "";
    expect_rejected(&spec, TLS_ALERT_DECODE_ERROR, "no suites");
    spec.suites = "1301 13";
    expect_rejected(&spec, TLS_ALERT_DECODE_ERROR, "a suite and a half");
    spec = spec_tls13();
    spec.compression = "";
    expect_rejected(&spec, TLS_ALERT_DECODE_ERROR, "no compression methods");
}

Test(offer, legacy_version_must_be_that_of_tls12) {
    static const unsigned refused[] = {0,      0x0002, 0x0200, 0x02ff, 0x0300, 0x0301,
                                       0x0302, 0x0304, 0x03ff, 0x7f12, 0xfefd, 0xffff};

    for (size_t i = 0; i < ARRAY_LENGTH(refused); i++) {
        struct hello_spec spec = spec_tls13();
        spec.legacy_version = refused[i];
        expect_rejected(&spec, TLS_ALERT_PROTOCOL_VERSION, "TLS 1.3 with another legacy_version");
        spec = spec_tls12();
        spec.legacy_version = refused[i];
        expect_rejected(&spec, TLS_ALERT_PROTOCOL_VERSION, "another legacy_version");
    }
}

Test(offer, no_extension_may_come_twice) {
    static const unsigned types[] = {0,  10, 11, 13,   16,   18,     21,     35,     43,     49,    51,
                                     52, 63, 64, 1023, 1024, 0x0a0a, 0x4469, 0xfe0d, 0xff01, 0xffff};

    for (size_t i = 0; i < ARRAY_LENGTH(types); i++) {
        struct hello_spec spec = spec_tls13();
        spec_set(&spec, 16, "0003 02 6832");
        spec_set(&spec, 11, "01 00");
        if (types[i] != 0 && types[i] != 10 && types[i] != 11 && types[i] != 13 && types[i] != 16 && types[i] != 43 &&
            types[i] != 51) {
            spec_append(&spec, types[i], types[i] == 0xff01 ? "00" : "1234");
        }
        spec_append(&spec, 0x3a3a, "");
        struct hello hello;
        expect_read(&spec, &hello);
        for (size_t j = 0; j < spec.extension_count; j++) {
            if (spec.extensions[j].type == types[i]) {
                spec_append(&spec, types[i], spec.extensions[j].content);
                break;
            }
        }
        expect_rejected(&spec, TLS_ALERT_ILLEGAL_PARAMETER, "extension twice");
    }
}

Test(offer, takes_thousands_of_extensions_in_linear_time) {
    static struct builder body;
    struct hello_spec spec = {
        .legacy_version = 0x0303, .session_id = "", .suites = "1301", .compression = "00", .without_extensions = true};
    struct hello hello = {0};

    build_body(&body, &spec);
    size_t start = builder_open(&body, 2);
    for (unsigned type = 0x100; type < 0x100 + 4000; type++) {
        builder_u16(&body, type);
        builder_u16(&body, 0);
    }
    builder_close(&body, start, 2);
    struct offer offer;
    for (int i = 0; i < 10000; i++) {
        cr_assert(offer_read(builder_view(&body), &offer, &hello), "%s", hello.fault);
    }
    builder_u16(&body, 0x100 + 3999);
    builder_u16(&body, 0);
    builder_close(&body, start, 2);
    cr_expect_not(offer_read(builder_view(&body), &offer, &hello));
    cr_expect_eq(hello.alert, TLS_ALERT_ILLEGAL_PARAMETER);
}

Test(offer, lists_must_nest_exactly) {
    static struct builder body;
    struct hello_spec spec = spec_tls13();
    struct hello hello = {0};

    build_body(&body, &spec);
    size_t extensions_at = 2 + 32 + 33 + 4 + 2;
    struct offer offer;
    for (int change = -1; change <= 1; change += 2) {
        struct builder copy = body;
        copy.data[extensions_at + 1] = (uint8_t)(copy.data[extensions_at + 1] + change);
        cr_expect_not(offer_read(builder_view(&copy), &offer, &hello));
        cr_expect_eq(hello.alert, TLS_ALERT_DECODE_ERROR);
    }
    /* The last extension claims a byte more than there is, and a byte less, which leaves half an extension. */
    size_t last_at = body.size - (2 + 0x24) - 2;
    for (int change = -1; change <= 1; change += 2) {
        struct builder copy = body;
        copy.data[last_at + 1] = (uint8_t)(copy.data[last_at + 1] + change);
        cr_expect_not(offer_read(builder_view(&copy), &offer, &hello));
        cr_expect_eq(hello.alert, TLS_ALERT_DECODE_ERROR);
    }
}

Test(offer, pre_shared_key_must_be_last) {
    struct hello_spec spec = spec_tls13();

    spec_append(&spec, 45, "01 01");
    spec_append(&spec, 41, ONE_PSK);
    struct hello hello;
    expect_read(&spec, &hello);
    spec_append(&spec, 21, "00");
    expect_rejected(&spec, TLS_ALERT_ILLEGAL_PARAMETER, "padding behind pre_shared_key");
}

Test(offer, server_name_is_made_canonical) {
    static const struct {
        const char *name;
        const char *expected;
    } cases[] = {
        {"example.com", "example.com"},
        {"EXAMPLE.Com", "example.com"},
        {"example.com.", "example.com"},
        {"a", "a"},
        {"x-1_y.Z0", "x-1_y.z0"},
        {"10.0.0.1", ""}, /* addresses name no host */
        {"255.255.255.255", ""},
        {"::", ""},
        {"::1", ""},
        {"[::1]", ""},
        {"2001:DB8:0:1:2:3:4:5", ""},
        {"0000:0000:0000:0000:0000:ffff:192.168.100.228", ""},
        {"fe80::1%eth0", ""},
        {"[fe80::1%25eth0]", ""},
        {"10.0.0.1.", "10.0.0.1"},
        {"10.0.0", "10.0.0"},
        {"10.0.0.256", "10.0.0.256"},
        {"10.0.0.1.example", "10.0.0.1.example"},
        {"-", "-"},
        {"xn--bcher-kva.example", "xn--bcher-kva.example"},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        size_t size = strlen(cases[i].name);
        char content[128];
        int at = snprintf(content, sizeof content, "%04zx00%04zx", size + 3, size);
        for (size_t j = 0; j < size; j++) {
            at += snprintf(content + at, sizeof content - (size_t)at, "%02x", (unsigned)cases[i].name[j]);
        }
        struct hello_spec spec = spec_tls13();
        spec_set(&spec, 0, content);
        struct hello hello;
        expect_read(&spec, &hello);
        cr_expect_str_eq(hello.name, cases[i].expected);
    }
}

/* A name type that is not known is passed over, the one host_name beside it is taken. */
Test(offer, server_name_of_another_type_is_ignored) {
    struct hello_spec spec = spec_tls13();

    spec_set(&spec, 0, "000a 07 0000 00 0001 61 ff 0000");
    struct hello hello;
    expect_read(&spec, &hello);
    cr_expect_str_eq(hello.name, "a");
    spec_set(&spec, 0, "0007 07 0000 00 0001 61");
    expect_read(&spec, &hello);
    cr_expect_str_eq(hello.name, "a");
    spec_drop(&spec, 0);
    expect_read(&spec, &hello);
    cr_expect_str_eq(hello.name, "");
}

Test(offer, server_name_is_bounded) {
    for (size_t size = 250; size <= 260; size++) {
        for (int dot = 0; dot < 2; dot++) {
            char content[2 * 300];
            int at = snprintf(content, sizeof content, "%04zx00%04zx", size + 3, size);
            for (size_t i = 0; i < size; i++) {
                const char *letter = dot && i == size - 1 ? "2e" : "41";
                at += snprintf(content + at, sizeof content - (size_t)at, "%s", letter);
            }
            struct hello_spec spec = spec_tls13();
            spec_set(&spec, 0, content);
            size_t left = size - (size_t)dot;
            struct hello hello;
            if (left <= HELLO_NAME_MAX) {
                expect_read(&spec, &hello);
                cr_expect_eq(strlen(hello.name), left);
                cr_expect_eq(hello.name[left - 1], 'a');
            } else {
                expect_rejected(&spec, TLS_ALERT_UNRECOGNIZED_NAME, "long name");
            }
        }
    }
}

Test(offer, alpn_is_read) {
    static const struct {
        const char *content;
        bool http11;
        bool h2;
    } cases[] = {
        {"0003 02 6832", false, true},
        {"0009 08 687474702f312e31", true, false},
        {"000c 02 6832 08 687474702f312e31", true, true},
        {"000c 08 687474702f312e31 02 6832", true, true},
        {"0009 08 687474702f312e30", false, false},
        {"0008 07 687474702f312e", false, false},
        {"000a 09 687474702f312e3100", false, false},
        {"0009 08 485454502f312e31", false, false},
        {"0003 02 4832", false, false},
        {"0004 03 683263", false, false},
        {"0002 01 68", false, false},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct hello_spec spec = spec_tls13();
        spec_set(&spec, 16, cases[i].content);
        struct hello hello;
        expect_read(&spec, &hello);
        cr_expect(hello.alpn && hello.alpn_http11 == cases[i].http11 && hello.alpn_h2 == cases[i].h2, "%s",
                  cases[i].content);
    }
}

/* RFC 8446 section 4.2.3. */
Test(offer, certificates_may_have_schemes_of_their_own) {
    struct hello_spec spec = spec_tls13();
    struct offer offer;
    struct hello hello;

    spec_set(&spec, 13, "0006 0403 0804 0201");
    cr_assert(read_spec(&spec, &offer, &hello));
    cr_expect_eq(hello.chain_schemes, SCHEME_ECDSA_SHA256 | SCHEME_PSS_SHA256);
    spec_set(&spec, 50, "0006 0401 080b 0201");
    cr_assert(read_spec(&spec, &offer, &hello));
    cr_expect_eq(hello.chain_schemes, SCHEME_PKCS1_SHA256 | SCHEME_PSS_SHA512);
    cr_expect_eq(offer.schemes, SCHEME_ECDSA_SHA256 | SCHEME_PSS_SHA256, "handshakes have theirs");
    spec_drop(&spec, 13);
    spec_drop(&spec, 50);
    cr_assert(read_spec(&spec, &offer, &hello));
    cr_expect_eq(hello.chain_schemes, 0);
}

Test(offer, use_is_what_the_lists_hold) {
    struct hello_spec spec = spec_tls13();
    struct offer offer;
    struct hello hello;

    spec.suites = "0a0a 1303 c02c c030 5600 00ff";
    spec_set(&spec, 10, "0008 2a2a 0100 001e 0019");
    spec_set(&spec, 13, "000a 0807 0806 0601 0203 0201");
    cr_assert(read_spec(&spec, &offer, &hello));
    cr_expect_eq(offer.use, USE_SUITE_TLS13 | USE_SUITE_ECDSA | USE_SUITE_RSA | USE_FALLBACK_SCSV | USE_GROUP);
    cr_expect_eq(offer.schemes, SCHEME_ED25519 | SCHEME_PSS_SHA512 | SCHEME_PKCS1_SHA512);
    spec.suites = "0a0a 009c c013 ffff";
    spec_set(&spec, 10, "0008 2a2a 0100 001e 11ed");
    spec_set(&spec, 13, "000a 0808 0201 0203 0301 1a1a");
    cr_assert(read_spec(&spec, &offer, &hello));
    cr_expect_eq(offer.use, 0);
    cr_expect_eq(offer.schemes, 0);
}

/* RFC 8449 section 4, RFC 6066 section 4. */
Test(offer, limits_of_record_sizes) {
    static const struct {
        const char *limit, *fragment; /* NULL: absent */
        unsigned limit_read, fragment_read;
        enum tls_alert alert; /* 0: it is read */
    } cases[] = {
        {NULL, NULL, 0, 0, 0},
        {"0040", NULL, 64, 0, 0},
        {"4001", NULL, 16385, 0, 0},
        {"ffff", NULL, 65535, 0, 0},
        {"003f", NULL, 0, 0, TLS_ALERT_ILLEGAL_PARAMETER},
        {"0000", NULL, 0, 0, TLS_ALERT_ILLEGAL_PARAMETER},
        {"40", NULL, 0, 0, TLS_ALERT_DECODE_ERROR},
        {"", NULL, 0, 0, TLS_ALERT_DECODE_ERROR},
        {"004000", NULL, 0, 0, TLS_ALERT_DECODE_ERROR},
        {NULL, "01", 0, 1, 0},
        {NULL, "04", 0, 4, 0},
        {NULL, "00", 0, 0, TLS_ALERT_ILLEGAL_PARAMETER},
        {NULL, "05", 0, 0, TLS_ALERT_ILLEGAL_PARAMETER},
        {NULL, "", 0, 0, TLS_ALERT_DECODE_ERROR},
        {NULL, "0101", 0, 0, TLS_ALERT_DECODE_ERROR},
        {"0200", "01", 512, 0, 0},
        {"0200", "05", 512, 0, 0}, /* ignored, whatever it is */
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct hello_spec spec = spec_tls13();
        if (cases[i].limit != NULL) {
            spec_append(&spec, 28, cases[i].limit);
        }
        if (cases[i].fragment != NULL) {
            spec_append(&spec, 1, cases[i].fragment);
        }
        struct hello hello;
        struct offer offer;
        bool read = read_spec(&spec, &offer, &hello);
        cr_expect_eq(read, cases[i].alert == 0, "%zu", i);
        if (read) {
            cr_expect_eq(hello.record_size_limit, cases[i].limit_read, "%zu", i);
            cr_expect_eq(hello.max_fragment, cases[i].fragment_read, "%zu", i);
        } else {
            cr_expect_eq(hello.alert, cases[i].alert, "%zu: %s", i, hello.fault);
        }
    }
}
