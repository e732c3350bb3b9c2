#include "builder.h"
#include "guard/hello.h"

#include <criterion/criterion.h>

/* Parses a copy of exactly that size, so that a sanitizer sees every read beyond it. */
static enum hello_result parse(struct bytes received, struct hello *hello) {
    uint8_t *copy = malloc(received.size + (received.size == 0));
    cr_assert_not_null(copy);
    memcpy(copy, received.data, received.size);
    enum hello_result result = hello_parse(bytes_of(copy, received.size), hello);
    free(copy);
    return result;
}

static void expect_rejected(struct bytes received, enum tls_alert alert) {
    struct hello hello = {0};
    cr_expect_eq(parse(received, &hello), HELLO_REJECTED, "%zu bytes", received.size);
    cr_expect_eq(hello.alert, alert, "alert %d (%s) instead of %d", hello.alert, hello.fault, alert);
    cr_expect(hello.fault != NULL && hello.fault[0] != '\0');
}

static void expect_same(const struct hello *a, const struct hello *b) {
    cr_expect_str_eq(a->name, b->name);
    cr_expect(a->tls13 == b->tls13 && a->alpn == b->alpn && a->alpn_http11 == b->alpn_http11 && a->alpn_h2 == b->alpn_h2 &&
              a->resumable == b->resumable && a->early_data == b->early_data &&
              a->record_size_limit == b->record_size_limit);
}

/* A TLS 1.3 hello whose padding makes its record, header included, `size` bytes long. */
static void build_padded(struct builder *body, size_t size) {
    static char padding[2 * HELLO_SIZE_MAX + 1];
    struct hello_spec spec = spec_tls13();

    spec_append(&spec, 21, "");
    build_body(body, &spec);
    size_t missing = size - (body->size + 4 + 5);
    memset(padding, '0', sizeof padding);
    padding[2 * missing] = '\0';
    spec_set(&spec, 21, padding);
    build_body(body, &spec);
}

Test(hello, nothing_yet_is_incomplete) {
    struct hello hello;
    cr_expect_eq(hello_parse(bytes_of(NULL, 0), &hello), HELLO_INCOMPLETE);
}

Test(hello, first_byte_decides) {
    for (unsigned first = 0; first < 256; first++) {
        struct hello hello;
        uint8_t byte = (uint8_t)first;
        enum hello_result expected = first == 22                                   ? HELLO_INCOMPLETE
                                     : first != 0 && strchr("GHPDCOT", (int)first) ? HELLO_PLAIN_HTTP
                                                                                   : HELLO_NOT_TLS;
        cr_expect_eq(parse(bytes_of(&byte, 1), &hello), expected, "first byte %u", first);
    }
}

Test(hello, major_version_of_the_first_record_decides) {
    for (unsigned major = 0; major < 256; major++) {
        struct hello hello;
        uint8_t bytes[] = {22, (uint8_t)major};
        cr_expect_eq(parse(bytes_of(bytes, 2), &hello), major == 3 ? HELLO_INCOMPLETE : HELLO_NOT_TLS);
    }
}

Test(hello, http_methods_are_told_from_noise) {
    static const char *const http[] = {
        "GET / HTTP/1.1\r\n", "HEAD / HTTP/1.1\r\n", "POST /",  "PUT /",   "DELETE /",
        "CONNECT a:1",        "OPTIONS *",           "TRACE /", "PATCH /", "PRI * HTTP/2.0\r\n"};
    static const char *const noise[] = {"GETX", "get /", "POSTAL", "PR\x01", "HEAD\t", "G\xff", "SSH-2.0-x", "\x80\x2e\x01"};
    struct hello hello;

    for (size_t i = 0; i < ARRAY_LENGTH(http); i++) {
        for (size_t size = 1; size <= strlen(http[i]); size++) {
            cr_expect_eq(parse(bytes_of(http[i], size), &hello), HELLO_PLAIN_HTTP, "%.*s", (int)size, http[i]);
        }
    }
    for (size_t i = 0; i < ARRAY_LENGTH(noise); i++) {
        cr_expect_eq(parse(bytes_of_string(noise[i]), &hello), HELLO_NOT_TLS, "%s", noise[i]);
    }
}

Test(hello, small_hellos_pass) {
    struct hello_spec spec = spec_tls13();
    struct hello hello;

    cr_expect_eq(parse(build_hello(&spec), &hello), HELLO_OK, "%s", hello.fault);
    cr_expect(hello.tls13 && !hello.alpn && !hello.alpn_http11 && !hello.alpn_h2 && hello.first_ticket.size == 0);
    cr_expect_str_eq(hello.name, "example.local");
    spec = spec_tls12();
    cr_expect_eq(parse(build_hello(&spec), &hello), HELLO_OK, "%s", hello.fault);
    cr_expect(!hello.tls13 && hello.first_ticket.size == 0);
}

Test(hello, record_minor_version_is_ignored) {
    struct hello_spec spec = spec_tls13();
    struct bytes whole = build_hello(&spec);
    uint8_t copy[1024];

    memcpy(copy, whole.data, whole.size);
    struct hello hello;
    for (unsigned minor = 0; minor < 256; minor++) {
        copy[2] = (uint8_t)minor;
        cr_expect_eq(parse(bytes_of(copy, whole.size), &hello), HELLO_OK);
    }
}

Test(hello, what_follows_the_record_is_left_alone) {
    static struct builder out;
    struct hello_spec spec = spec_tls13();
    struct hello hello;

    builder_bytes(&out, build_hello(&spec));
    builder_hex(&out, "14 0303 0001 01 17 0303 0010 00");
    cr_expect_eq(parse(builder_view(&out), &hello), HELLO_OK);
}

Test(hello, may_be_split_over_records_at_any_byte) {
    static struct builder body, out;
    struct hello_spec spec = spec_tls13();
    struct hello whole;

    build_body(&body, &spec);
    cr_assert_eq(parse(build_hello(&spec), &whole), HELLO_OK);
    size_t size = body.size + 4;
    struct hello hello;
    for (size_t first = (size + 3) / 4; first < size; first++) {
        build_records(&out, builder_view(&body), first);
        cr_expect_eq(parse(builder_view(&out), &hello), HELLO_OK, "%zu", first);
        expect_same(&hello, &whole);
        for (size_t part = 1; part < out.size; part++) {
            cr_expect_eq(parse(bytes_of(out.data, part), &hello), HELLO_INCOMPLETE, "%zu of %zu", part, first);
        }
    }
}

/* Down to a record for each byte, and with something behind it. */
Test(hello, is_joined_from_any_number_of_records) {
    static struct builder body, out;
    static uint8_t record[HELLO_SIZE_MAX];
    struct hello_spec specs[] = {spec_tls13(), spec_tls12()};

    for (size_t i = 0; i < ARRAY_LENGTH(specs); i++) {
        struct hello whole;
        build_body(&body, &specs[i]);
        cr_assert_eq(parse(build_hello(&specs[i]), &whole), HELLO_OK);
        cr_expect_eq(whole.records, 1);
        struct hello hello;
        for (size_t size = 1; size < body.size + 4; size++) {
            build_records(&out, builder_view(&body), size);
            size_t hello_size = out.size;
            builder_hex(&out, "17 0303 0001 aa");
            cr_expect_eq(parse(builder_view(&out), &hello), HELLO_OK, "%zu: %s", size, hello.fault);
            cr_expect_eq(hello.records, (body.size + 4 + size - 1) / size);
            expect_same(&hello, &whole);
            cr_expect_eq(parse(bytes_of(out.data, hello_size - 1), &hello), HELLO_INCOMPLETE, "%zu", size);
            cr_expect_geq(hello.records + 1u, (body.size + 4 + size - 1) / size);
            struct bytes rest;
            size_t joined = hello_join(builder_view(&out), record, &rest);
            cr_expect(bytes_equal(bytes_of(record, joined), build_hello(&specs[i])), "%zu", size);
            cr_expect(rest.data == out.data + hello_size && rest.size == 6);
        }
    }
}

/* Records count by their headers. */
Test(hello, many_records_fill_the_limit) {
    static struct builder body, out;
    struct hello hello;

    build_padded(&body, 5 + HELLO_SIZE_MAX / 6 - 1);
    build_records(&out, builder_view(&body), 1);
    cr_assert_leq(out.size, HELLO_SIZE_MAX);
    cr_expect_eq(parse(builder_view(&out), &hello), HELLO_OK, "%s", hello.fault);
    build_padded(&body, 5 + HELLO_SIZE_MAX / 6 + 1);
    build_records(&out, builder_view(&body), 1);
    cr_assert_gt(out.size, HELLO_SIZE_MAX);
    expect_rejected(builder_view(&out), TLS_ALERT_ILLEGAL_PARAMETER);
}

Test(hello, size_limit_is_exact) {
    static struct builder body, out;
    struct hello hello;

    build_padded(&body, HELLO_SIZE_MAX);
    build_records(&out, builder_view(&body), 16384);
    cr_assert_eq(out.size, HELLO_SIZE_MAX);
    cr_expect_eq(parse(bytes_of(out.data, out.size - 1), &hello), HELLO_INCOMPLETE);
    cr_expect_eq(parse(builder_view(&out), &hello), HELLO_OK, "%s", hello.fault);
    /* The same hello in two records takes five bytes more. */
    build_records(&out, builder_view(&body), 16000);
    expect_rejected(builder_view(&out), TLS_ALERT_ILLEGAL_PARAMETER);
    expect_rejected(bytes_of(out.data, 9), TLS_ALERT_ILLEGAL_PARAMETER);

    build_padded(&body, HELLO_SIZE_MAX - 15);
    build_records(&out, builder_view(&body), 4100);
    cr_assert_eq(out.size, HELLO_SIZE_MAX);
    cr_expect_eq(parse(builder_view(&out), &hello), HELLO_OK, "%s", hello.fault);

    build_padded(&body, HELLO_SIZE_MAX + 1);
    build_records(&out, builder_view(&body), 16384);
    expect_rejected(bytes_of(out.data, 6), TLS_ALERT_ILLEGAL_PARAMETER);
    expect_rejected(builder_view(&out), TLS_ALERT_ILLEGAL_PARAMETER);
}

Test(hello, bad_framing_gets_its_alert) {
    static const struct {
        const char *name;
        const char *bytes;
        enum tls_alert alert;
        size_t known_at; /* one byte less is still incomplete */
    } cases[] = {
        {"empty record", "16 0301 0000", TLS_ALERT_UNEXPECTED_MESSAGE, 5},
        {"record too long", "16 0301 4001", TLS_ALERT_RECORD_OVERFLOW, 5},
        {"record of the greatest length", "16 0301 4000 01", TLS_ALERT_ILLEGAL_PARAMETER, 5},
        {"ServerHello", "16 0301 0100 02", TLS_ALERT_UNEXPECTED_MESSAGE, 6},
        {"HelloRequest", "16 0301 0004 00000000", TLS_ALERT_UNEXPECTED_MESSAGE, 6},
        {"a message of 16 MiB", "16 0301 0100 01 ffffff", TLS_ALERT_ILLEGAL_PARAMETER, 9},
        {"a message that ends before its record", "16 0301 0100 01 0000fb", TLS_ALERT_UNEXPECTED_MESSAGE, 9},
        {"an empty message", "16 0301 0004 01 000000", TLS_ALERT_DECODE_ERROR, 9},
        {"an alert in the middle", "16 0301 0002 0100 15 0301 0002 0100", TLS_ALERT_UNEXPECTED_MESSAGE, 8},
        {"application data in the middle", "16 0301 0002 0100 17 0303 0001 00", TLS_ALERT_UNEXPECTED_MESSAGE, 8},
        {"another major version in the middle", "16 0301 0002 0100 16 0203", TLS_ALERT_PROTOCOL_VERSION, 9},
        {"an empty record in the middle", "16 0301 0002 0100 16 0303 0000 16", TLS_ALERT_UNEXPECTED_MESSAGE, 12},
        {"record too long in the middle", "16 0301 0002 0100 16 0303 ffff 16", TLS_ALERT_RECORD_OVERFLOW, 12},
        {"header split, message too long", "16 0301 0001 01 16 0301 0003 010000", TLS_ALERT_ILLEGAL_PARAMETER, 14},
    };
    static struct builder out;

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct hello hello = {0};
        out.size = 0;
        builder_hex(&out, cases[i].bytes);
        cr_expect_eq(parse(builder_view(&out), &hello), HELLO_REJECTED, "%s", cases[i].name);
        cr_expect_eq(hello.alert, cases[i].alert, "%s: %d %s", cases[i].name, hello.alert, hello.fault);
        cr_expect_eq(parse(bytes_of(out.data, cases[i].known_at), &hello), HELLO_REJECTED, "%s", cases[i].name);
        cr_expect_eq(parse(bytes_of(out.data, cases[i].known_at - 1), &hello), HELLO_INCOMPLETE, "%s", cases[i].name);
    }
}

Test(hello, cut_short_anywhere_is_a_decode_error) {
    static struct builder body, out;
    struct hello_spec specs[] = {spec_tls13(), spec_tls12()};

    for (size_t i = 0; i < ARRAY_LENGTH(specs); i++) {
        build_body(&body, &specs[i]);
        size_t extensions_at = 2 + 32 + 1 + (i == 0 ? 32 : 0) + 2 + (i == 0 ? 2 : 6) + 2;
        for (size_t size = 0; size < body.size; size++) {
            build_records(&out, bytes_of(body.data, size), 16384);
            /* Without any extensions it is well-formed, but says nothing that we could use. */
            expect_rejected(builder_view(&out),
                            size == extensions_at ? TLS_ALERT_HANDSHAKE_FAILURE : TLS_ALERT_DECODE_ERROR);
        }
        builder_u8(&body, 0);
        build_records(&out, builder_view(&body), 16384);
        expect_rejected(builder_view(&out), TLS_ALERT_DECODE_ERROR);
    }
}

Test(hello, alert_is_a_fatal_plaintext_record) {
    static const uint8_t expected[7] = {21, 3, 3, 0, 2, 2, 112};
    uint8_t record[7];

    hello_alert(TLS_ALERT_UNRECOGNIZED_NAME, record);
    cr_expect_arr_eq(record, expected, 7);
}
