#include "config/field_names.h"

#include <criterion/criterion.h>
#include <string.h>

Test(field_names, what_may_be_meant) {
    static const struct {
        const char *text;
        const char *suggestion;
    } cases[] = {
        {"Reason", "; did you mean \"reason\"?"},
        {"cn", "; did you mean \"subject.cn\"?"},
        {"issuer.xyz", "; behind the \".\" there can be dn cn o ou l"},
        {"ext:1.x", "; an extension is \"ext:1.3"},
        {"cause", " (docs/contract.md lists them)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char suggestion[FIELD_NAMES_TEXT_SIZE];
        field_names_suggest(cases[i].text, suggestion);
        cr_expect_eq(strncmp(suggestion, cases[i].suggestion, strlen(cases[i].suggestion)), 0, "%s: %s", cases[i].text,
                     suggestion);
    }
}
