#include "config/field_names.h"

#include "config/suggest.h"
#include "identity/field.h"

#include <limits.h>
#include <stdio.h>

static void list_attributes(char list[static FIELD_NAMES_TEXT_SIZE]) {
    static const char prefix[] = "subject.";
    struct text text = text_over(list, FIELD_NAMES_TEXT_SIZE - 1);
    text_append_string(&text, "; behind the \".\" there can be");
    char name[FIELD_NAME_SIZE];
    for (size_t i = 0; field_name_at(i, name); i++) {
        if (strncmp(name, prefix, sizeof prefix - 1) == 0) {
            text_append_format(&text, " %s", name + sizeof prefix - 1);
        }
    }
    list[text.size] = '\0';
}

void field_names_suggest(const char *text, char suggestion[static FIELD_NAMES_TEXT_SIZE]) {
    unsigned best = UINT_MAX;
    snprintf(suggestion, FIELD_NAMES_TEXT_SIZE, " (docs/contract.md lists them)");
    char name[FIELD_NAME_SIZE];
    for (size_t i = 0; field_name_at(i, name); i++) {
        unsigned rank = suggest_rank(text, name);
        if (rank < best) {
            best = rank;
            snprintf(suggestion, FIELD_NAMES_TEXT_SIZE, "; did you mean \"%s\"?", name);
        }
    }
    if (best == UINT_MAX && (strncmp(text, "subject.", 8) == 0 || strncmp(text, "issuer.", 7) == 0)) {
        list_attributes(suggestion);
    }
    if (strncmp(text, "ext:", 4) == 0) {
        snprintf(suggestion, FIELD_NAMES_TEXT_SIZE, "; an extension is \"ext:1.3.6.1.4.1.99999.1\"");
    }
}
