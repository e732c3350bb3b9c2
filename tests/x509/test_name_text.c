/* More Names, and what openssl makes of them, are in the corpus: see test_render.c. */
#include "name_builder.h"
#include "x509/name.h"

static void assert_text(struct bytes name, const char *expected) {
    char buffer[512];
    struct text text = text_over(buffer, sizeof buffer);
    name_append_text(&text, name);
    cr_assert(bytes_equal(text_bytes(&text), bytes_of_string(expected)), "%.*s", (int)text.size, buffer);
}

Test(name_text, is_written_by_rfc_4514) {
    struct builder a;
    assert_text(NAME(a, PRINTABLE(6, "DE"), UTF8(10, "Works"), UTF8(3, "x")), "CN=x,O=Works,C=DE");
    assert_text(NAME(a, UTF8(3, "#a, b+c\"d\\e<f>g;h=i#")), "CN=\\#a\\, b\\+c\\\"d\\\\e\\<f\\>g\\;h=i#");
    assert_text(NAME(a, UTF8(3, " x ")), "CN=\\ x\\ ");
    assert_text(NAME(a, UTF8(3, " ")), "CN=\\ ");
    assert_text(NAME(a, UTF8(3, "a\nb\x7f")), "CN=a\\0Ab\\7F");
    assert_text(NAME(a, UTF8(3, "")), "CN=");
    assert_text(NAME(a, UTF8(3, "a"), {11, DER_UTF8_STRING, "b", 0, true}), "OU=b+CN=a");
    assert_text(NAME(a, UTF8(127, "b")), "2.5.4.127=#0C0162");
    assert_text(NAME(a, {3, DER_OCTET_STRING, "b", 0, false}), "CN=#040162");
    assert_text(NAME(a, {3, DER_BMP_STRING, "\0a \xac", 4, false}), "CN=a\xe2\x82\xac");
    assert_text(SUPPORT_BYTES("\x30\x00"), "");
}

Test(name_text, of_a_value_is_utf8) {
    static const struct {
        struct part part;
        const char *text;
    } cases[] = {
        {{3, DER_UTF8_STRING, "\xc3\xa4,\"", 0, false}, "\xc3\xa4,\""},
        {{3, DER_TELETEX_STRING, "\xe4", 0, false}, "\xc3\xa4"},
        {{3, DER_BMP_STRING, "\x20\xac", 0, false}, "\xe2\x82\xac"},
        {{3, DER_UNIVERSAL_STRING, "\0\1\xf3\x55", 4, false}, "\xf0\x9f\x8d\x95"},
        {{3, DER_BIT_STRING, "\0\x0f", 2, false}, "#0302000F"},
    };
    struct builder a;
    char buffer[64];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct part parts[] = {cases[i].part, {.arc = 0}};
        struct name_reader reader = name_reader_of(name_of(&a, parts));
        struct name_attribute attribute;
        struct text text = text_over(buffer, sizeof buffer);
        cr_assert(name_next(&reader, &attribute));
        name_append_value(&text, &attribute);
        cr_assert(bytes_equal(text_bytes(&text), bytes_of_string(cases[i].text)), "case %zu: %.*s", i, (int)text.size,
                  buffer);
    }
}

Test(name_text, that_does_not_fit_says_so) {
    char buffer[8];
    struct text text = text_over(buffer, sizeof buffer);
    struct builder a;
    name_append_text(&text, NAME(a, UTF8(10, "Works"), UTF8(3, "x")));
    cr_assert(text.overflow && text.size <= sizeof buffer);
}
