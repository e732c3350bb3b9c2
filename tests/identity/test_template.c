#include "identity/template.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static void assert_fault(const char *text, const char *why, const char *field) {
    struct template_fault fault;
    cr_expect_null(template_parse(text, &fault), "%s", text);
    cr_expect_not_null(strstr(fault.why, why), "%s: %s", text, fault.why);
    cr_expect_str_eq(fault.field, field);
}

static struct template *parse(const char *text) {
    struct template_fault fault;
    struct template *template = template_parse(text, &fault);
    cr_assert_not_null(template, "%s: %s", text, fault.why);
    return template;
}

static void assert_text(const struct template_part *part, const char *expected) {
    cr_expect(bytes_equal(part->text, bytes_of_string(expected)), "%.*s", (int)part->text.size,
              (const char *)part->text.data);
}

Test(template, text_alone) {
    struct template *template = parse("a \t~{{b}}");
    cr_assert_eq(template->field_count, 0);
    assert_text(&template->parts[0], "a \t~{b}");
    free(template);
}

Test(template, fields_in_text) {
    struct template *template = parse("{subject.cn}/{serial} {{{sni}}}");
    cr_assert_eq(template->field_count, 3);
    assert_text(&template->parts[0], "");
    assert_text(&template->parts[1], "/");
    assert_text(&template->parts[2], " {");
    assert_text(&template->parts[3], "}");
    cr_expect_eq(template->parts[0].field.kind, FIELD_SUBJECT_ATTRIBUTE);
    cr_expect_eq(template->parts[1].field.kind, FIELD_SERIAL);
    cr_expect_eq(template->parts[2].field.kind, FIELD_SNI);
    cr_expect(template_has(template, FIELD_OF_CERTIFICATE) && template_has(template, FIELD_OF_CONNECTION));
    cr_expect_not(template_has(template, FIELD_OF_VERDICT));
    free(template);
    free(parse("{ext:1.3.6.1.4.1.99999.1}"));
}

Test(template, faults) {
    assert_fault("", "empty", "");
    assert_fault("a{", "a { without its }", "");
    assert_fault("a{status", "a { without its }", "");
    assert_fault("a}", "a } without its {", "");
    assert_fault("{status}}", "a } without its {", "");
    assert_fault("{}", "a field that there is not", "");
    assert_fault("{subject.xyz}", "a field that there is not", "subject.xyz");
    assert_fault("{ status}", "a field that there is not", " status");
    assert_fault("{{{{{x}", "a field that there is not", "x");
    assert_fault(" a", "white space at an end", "");
    assert_fault("a\t", "white space at an end", "");
    assert_fault("a\r\nX-Admin: 1", "a control character", "");
    assert_fault("a\x01", "a control character", "");
    assert_fault("a\x7f", "beyond ASCII", "");
    assert_fault("caf\xc3\xa9", "beyond ASCII", "");
}

Test(template, bounds) {
    char text[TEMPLATE_SIZE_MAX + 2];
    memset(text, 'a', sizeof text);
    text[TEMPLATE_SIZE_MAX] = '\0';
    free(parse(text));
    text[TEMPLATE_SIZE_MAX] = 'a';
    text[TEMPLATE_SIZE_MAX + 1] = '\0';
    assert_fault(text, "more than 8 KiB", "");
    char fields[17 * 8 + 1] = "";
    for (size_t i = 0; i < TEMPLATE_FIELDS_MAX; i++) {
        memcpy(fields + i * 8, "{status}", 9);
    }
    free(parse(fields));
    memcpy(fields + TEMPLATE_FIELDS_MAX * 8, "{status}", 9);
    assert_fault(fields, "more than 16 fields", "");
    char name[TEMPLATE_NAME_SIZE + 8];
    memset(name, 'n', sizeof name);
    name[0] = '{';
    memcpy(name + sizeof name - 2, "}", 2);
    struct template_fault fault;
    cr_expect_null(template_parse(name, &fault));
    cr_expect_eq(strlen(fault.field), TEMPLATE_NAME_SIZE - 1, "it is cut");
}
