#include "config/syntax.h"

#include "base/ascii.h"
#include "base/check.h"

#include <stdio.h>

struct explanation {
    const char *problem; /* a part of libyaml's text */
    const char *context; /* a part of libyaml's text of the context; "" is a part of each */
    const char *text;    /* may have one %u: the line where the context begins */
    bool at_begin;       /* it has one */
};

/* The first that fits counts. Problems and contexts are texts of libyaml's scanner.c and parser.c. */
static const struct explanation explanations[] = {
    {"", "scanning an alias", "a value that begins with \"*\" must be in quotes", false},
    {"", "scanning an anchor", "a value that begins with \"&\" must be in quotes", false},
    {"found a tab character", "", "a tab in the indentation; use spaces", false},
    {"mapping values are not allowed", "",
     "a \": \" where no key can be: this line, or the one before it, is indented by the wrong number of spaces, or a value "
     "with \": \" in it must be in quotes",
     false},
    {"block sequence entries are not allowed", "",
     "a \"- \" where no list can begin: put it on a line of its own, below its key, or put the value in quotes", false},
    {"could not find expected ':'", "simple key", "the line that begins at line %u is a key without \":\" behind it", true},
    {"cannot start any token", "", "a value cannot begin with @, ` or %: put it in quotes", false},
    {"found unexpected end of stream", "quoted scalar", "a quote that opens at line %u is not closed", true},
    {"found unknown escape character", "",
     "a \\ within double quotes begins an escape: write \\\\, or put the value in single quotes", false},
    {"did not find expected key", "block mapping",
     "this line is indented otherwise than the keys that begin at line %u, or has something behind a quote or bracket that "
     "has been closed",
     true},
    {"did not find expected '-' indicator", "",
     "this line is indented neither as the keys above it, nor is it an item of the list that begins at line %u, which would "
     "begin with \"- \"",
     true},
    {"did not find expected ',' or ']'", "",
     "the list in [ ] that begins at line %u has no \"]\", or no \",\" between items", true},
    {"did not find expected ',' or '}'", "",
     "the mapping in { } that begins at line %u has no \"}\", or no \",\" between keys", true},
    {"did not find expected node content", "", "a \",\", \"]\" or \"}\" where a value should be", false},
    {"did not find expected <document start>", "",
     "this line does not belong to what stands above it: it is indented otherwise, or a bracket too many", false},
};

static struct bytes line_of(struct bytes text, unsigned line) {
    const uint8_t *end = text.data + text.size;
    const uint8_t *at = text.data;
    while (line > 1 && at != NULL && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        at++;
        line--;
    }
    if (at == NULL || at == end) {
        return bytes_of(NULL, 0);
    }
    const uint8_t *feed = memchr(at, '\n', (size_t)(end - at));
    return bytes_of(at, (size_t)((feed == NULL ? end : feed) - at));
}

static bool is_tab_indented(struct bytes line) {
    size_t i = 0;
    while (i < line.size && line.data[i] == ' ') {
        i++;
    }
    return i < line.size && line.data[i] == '\t';
}

/* Returns whether the line has "[::1]:443" without quotes, which is a list to YAML: "[", hex, "." and ":", then "]:" and a
 * digit. */
static bool has_bare_ipv6(struct bytes line) {
    static const char digits[] = "0123456789abcdefABCDEF:.";
    bool is_quoted = false;
    for (size_t i = 0; i < line.size; i++) {
        is_quoted ^= line.data[i] == '"' || line.data[i] == '\'';
        if (line.data[i] != '[' || is_quoted) {
            continue;
        }
        size_t end = i + 1;
        bool has_colon = false;
        while (end < line.size && line.data[end] != '\0' && strchr(digits, line.data[end]) != NULL) {
            has_colon = has_colon || line.data[end] == ':';
            end++;
        }
        if (has_colon && end + 2 < line.size && line.data[end] == ']' && line.data[end + 1] == ':' &&
            ascii_is_digit(line.data[end + 2])) {
            return true;
        }
    }
    return false;
}

static void write_explanation(const struct explanation *explanation, unsigned begin, char out[static SYNTAX_TEXT_SIZE]) {
    const char *place = explanation->at_begin ? strstr(explanation->text, "%u") : NULL;
    if (place == NULL) {
        snprintf(out, SYNTAX_TEXT_SIZE, "%s", explanation->text);
    } else {
        snprintf(out, SYNTAX_TEXT_SIZE, "%.*s%u%s", (int)(place - explanation->text), explanation->text, begin, place + 2);
    }
}

void syntax_explain(const struct syntax_fault *fault, struct bytes text, char out[static SYNTAX_TEXT_SIZE]) {
    if (has_bare_ipv6(line_of(text, fault->line)) ||
        (*fault->context != '\0' && has_bare_ipv6(line_of(text, fault->begin)))) {
        snprintf(out, SYNTAX_TEXT_SIZE, "an IPv6 address in brackets must be in quotes: \"[::1]:443\"");
        return;
    }
    if (strstr(fault->problem, "cannot start any token") != NULL && is_tab_indented(line_of(text, fault->line))) {
        snprintf(out, SYNTAX_TEXT_SIZE, "a tab in the indentation; use spaces");
        return;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(explanations); i++) {
        const struct explanation *explanation = &explanations[i];
        if (strstr(fault->problem, explanation->problem) != NULL && strstr(fault->context, explanation->context) != NULL) {
            write_explanation(explanation, fault->begin, out);
            return;
        }
    }
    if (*fault->context != '\0' && fault->begin < fault->line) {
        snprintf(out, SYNTAX_TEXT_SIZE, "%s, %s that begins at line %u", fault->problem, fault->context, fault->begin);
    } else {
        snprintf(out, SYNTAX_TEXT_SIZE, "%s%s%s", fault->problem, *fault->context == '\0' ? "" : ", ", fault->context);
    }
}
