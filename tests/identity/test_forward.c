#include "identity/forward.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static struct template *template_of(const char *text) {
    struct template_fault fault;
    struct template *template = template_parse(text, &fault);
    cr_assert_not_null(template, "%s: %s", text, fault.why);
    return template;
}

/* Without a certificate: of the verdict and of the connection alone. */
static const struct render_source nobody = {.reason = REASON_ABSENT};
static const struct forward_connection facts = {"TLSv1.3", "TLS_AES_128_GCM_SHA256", "X25519MLKEM768", "a%b\r\nX: y"};

static void assert_completed(struct bytes lines, const struct forward_connection *connection, size_t capacity,
                             const char *expected, bool overflow) {
    char buffer[32 * 1024];
    struct text out = text_over(buffer, capacity);
    forward_complete(lines, connection, &out);
    cr_expect(bytes_equal(text_bytes(&out), bytes_of_string(expected)), "%.*s", (int)out.size, buffer);
    cr_expect_eq(out.overflow, overflow);
}

Test(forward, kinds) {
    static const struct {
        const char *text;
        enum forward_kind kind;
    } cases[] = {
        {"prod", FORWARD_CONSTANT},
        {"{{}}", FORWARD_CONSTANT},
        {"{status}", FORWARD_OF_IDENTITY},
        {"a{subject.cn}b", FORWARD_OF_IDENTITY},
        {"{subject.cn}{sni}", FORWARD_OF_CONNECTION},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct forward_header header = {.template = template_of(cases[i].text)};
        cr_expect_eq(forward_kind_of(&header), cases[i].kind, "%s", cases[i].text);
        free(header.template);
    }
    cr_expect_eq(forward_kind_of(&(struct forward_header){.field = {.kind = FIELD_SKI}}), FORWARD_OF_IDENTITY);
    cr_expect_eq(forward_kind_of(&(struct forward_header){.field = {.kind = FIELD_SNI}}), FORWARD_OF_CONNECTION);
}

Test(forward, values) {
    static const struct {
        const char *text;
        const char *value; /* NULL: absent */
    } cases[] = {
        {"{status}", "none"},           {"{status}/{reason}", "none/absent"},
        {"<{{{status}}}>", "<{none}>"}, {"x{subject.cn}", NULL},
        {"{status}{ski}", NULL},        {"{tls.version} {tls.cipher} {key_exchange_group} {sni}", "\x01 \x02 \x03 \x04"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char buffer[256];
        struct text value = text_over(buffer, sizeof buffer);
        struct forward_header header = {.template = template_of(cases[i].text)};
        bool is_there = forward_render(&value, &header, &nobody);
        cr_expect_eq(is_there, cases[i].value != NULL, "%s", cases[i].text);
        cr_expect(!is_there || bytes_equal(text_bytes(&value), bytes_of_string(cases[i].value)), "%.*s", (int)value.size,
                  buffer);
        free(header.template);
    }
}

Test(forward, what_only_the_connection_knows) {
    struct bytes lines = bytes_of_string("X-Version: \x01\r\nX-Cipher: \x02\r\nX-Group: \x03\r\nX-SNI: \x04\r\n"
                                         "X-All: a\001:\001b\r\n");
    assert_completed(lines, &facts, 1024,
                     "X-Version: TLSv1.3\r\nX-Cipher: TLS_AES_128_GCM_SHA256\r\nX-Group: X25519MLKEM768\r\n"
                     "X-SNI: a%25b%0D%0AX: y\r\nX-All: aTLSv1.3:TLSv1.3b\r\n",
                     false);
    assert_completed(lines, &(struct forward_connection){"TLSv1.2", NULL, NULL, NULL}, 1024,
                     "X-Version: TLSv1.2\r\nX-All: aTLSv1.2:TLSv1.2b\r\n", false);
    assert_completed(lines, &(struct forward_connection){0}, 1024, "", false);
    assert_completed((struct bytes){0}, &facts, 0, "", false);
}

Test(forward, values_that_are_too_large) {
    char value[IDENTITY_HEADER_VALUE_MAX];
    memset(value, 'v', sizeof value);
    char lines[IDENTITY_HEADER_VALUE_MAX + 64];
    int size = snprintf(lines, sizeof lines, "X-A: %.*s\x01\r\nX-B: \x01\r\n", (int)sizeof value - 7, value);
    char whole[sizeof lines];
    snprintf(whole, sizeof whole, "X-A: %.*sTLSv1.3\r\nX-B: TLSv1.3\r\n", (int)sizeof value - 7, value);
    assert_completed(bytes_of(lines, (size_t)size), &facts, sizeof whole, whole, false);
    size = snprintf(lines, sizeof lines, "X-A: %.*s\x01\r\nX-B: \x01\r\n", (int)sizeof value - 6, value);
    assert_completed(bytes_of(lines, (size_t)size), &facts, 32 * 1024, "X-A-Too-Large: true\r\nX-B: TLSv1.3\r\n", false);
    assert_completed(bytes_of_string("X-Some: \x02\r\nX-B: 1\r\n"), &facts, 30, "X-Some-Too-Large: true\r\n", true);
    assert_completed(bytes_of_string("X-Some: \x02\r\n"), &facts, 20, "", true);
    assert_completed(bytes_of_string("X-Some: \x02\r\n"), &(struct forward_connection){0}, 9, "", false);
}
