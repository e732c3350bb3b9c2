#include "base/check.h"
#include "config/document.h"
#include "config/syntax.h"

#include <criterion/criterion.h>

/* Checks the problem that document_read finds in a text: syntax_explain has to know libyaml's own words for it. */
static void expect(const char *text, unsigned line, const char *fragment) {
    struct document document;
    struct config_problems problems = {0};
    cr_assert_not(document_read(&document, bytes_of_string(text), "f", &problems), "%s", text);
    cr_assert_eq(problems.count, 1);
    const struct config_problem *problem = &problems.items[0];
    cr_assert(problem->line == line && strstr(problem->message, fragment) != NULL, "%s\nline %u: %s", text, problem->line,
              problem->message);
    document_free(&document);
    config_problems_free(&problems);
}

Test(syntax, wrong_indents) {
    expect(
        "hosts:\n  - name: a\n   key: b\n", 3,
        "not YAML: this line is indented neither as the keys above it, nor is it an item of the list that begins at line 2");
    expect("hosts:\n  - name: a\n      key: b\n", 3, "a \": \" where no key can be: this line, or the one before it");
    expect("hosts:\n  - name: a\n key: b\n", 3, "this line is indented otherwise than the keys that begin at line 1");
    expect("a:\n    b: 1\n  c: 2\n", 3, "this line is indented otherwise than the keys that begin at line 1");
    expect("listen:\n- address: a\naddress: b\n- address: c\n", 4, "this line");
    expect("listen:\n  - a\n  b\n", 3, "");
    expect("a:\n\tb: 1\n", 2, "a tab in the indentation; use spaces");
    expect("a:\n  - x\n\t- y\n", 3, "a tab");
}

Test(syntax, other_slips) {
    expect("a: b: c\n", 1, "a value with \": \" in it must be in quotes");
    expect("a: - b\n", 1, "a \"- \" where no list can begin");
    expect("a: 1\nshards auto\nb: 2\n", 3, "the line that begins at line 2 is a key without \":\" behind it");
    expect("a: \"x\nb: 1\n", 2, "a quote that opens at line 1 is not closed");
    expect("a: \"C:\\keys\"\n", 1, "a \\ within double quotes begins an escape");
    expect("a: [1, 2\nb: 3\n", 2, "the list in [ ] that begins at line 1 has no \"]\"");
    expect("a: {b: 1\nc: 3\n", 2, "the mapping in { } that begins at line 1 has no \"}\"");
    expect("a: \"x\" y\n", 1, "has something behind a quote or bracket that has been closed");
    expect("a: *.example.com\n", 1, "a value that begins with \"*\" must be in quotes");
    expect("a: %x\n", 1, "cannot begin with @, ` or %");
    expect("a: [,]\n", 1, "where a value should be");
}

Test(syntax, addresses_in_brackets) {
    static const char *const texts[] = {
        "a: [::1]:443\n",
        "a:\n  - address: [::1]:443\n  - address: b\n",
        "a:\n  - {address: [::1]:443}\n",
        "a:\n  - [2001:db8::7]:443\n",
        "a: [::ffff:192.0.2.1]:443\nb: 1\n",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        expect(texts[i], i == 1 || i == 2 || i == 3 ? 2 : 1, "an IPv6 address in brackets must be in quotes");
    }
}

Test(syntax, what_is_not_known_keeps_its_words) {
    struct syntax_fault fault = {.problem = "did something", .context = "while doing it", .line = 3, .begin = 2};
    char text[SYNTAX_TEXT_SIZE];
    syntax_explain(&fault, bytes_of_string("a\nb\nc\n"), text);
    cr_assert_str_eq(text, "did something, while doing it that begins at line 2");
    fault.begin = 3;
    syntax_explain(&fault, bytes_of_string("a\nb\nc\n"), text);
    cr_assert_str_eq(text, "did something, while doing it");
    fault.context = "";
    syntax_explain(&fault, bytes_of(NULL, 0), text);
    cr_assert_str_eq(text, "did something");
}
