#include "base/check.h"
#include "config/document.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct document document;
static struct config_problems problems;

static bool read_bytes(const void *data, size_t size) {
    problems = (struct config_problems){0};
    return document_read(&document, bytes_of(data, size), "f", &problems);
}

static bool read_text(const char *text) {
    return read_bytes(text, strlen(text));
}

static void clear(void) {
    document_free(&document);
    config_problems_free(&problems);
}

Test(document, keeps_structure_and_lines) {
    cr_assert(read_text("# head\na: 1\nb:\n  - x\n  - 'y'\n\n  - {k: v}\nc: \"\"\nd:\n"));
    cr_assert_eq(problems.count, 0);
    const struct document_node *root = document.root;
    cr_assert_eq(root->type, DOCUMENT_MAPPING);
    cr_assert_eq(root->count, 4);
    const struct document_node *a = root->first;
    cr_assert_str_eq(a->text, "a");
    cr_assert_eq(a->line, 2);
    cr_assert_str_eq(a->next->text, "1");
    cr_assert(a->next->plain);
    const struct document_node *list = a->next->next->next;
    cr_assert_eq(list->type, DOCUMENT_LIST);
    cr_assert_eq(list->count, 3);
    cr_assert_str_eq(list->first->text, "x");
    cr_assert_eq(list->first->line, 4);
    cr_assert_not(list->first->next->plain);
    const struct document_node *map = list->first->next->next;
    cr_assert_eq(map->type, DOCUMENT_MAPPING);
    cr_assert_eq(map->line, 7);
    cr_assert_null(map->next);
    const struct document_node *c = list->next;
    cr_assert_str_eq(c->text, "c");
    cr_assert_not(document_is_null(c->next));
    cr_assert(document_is_null(c->next->next->next));
    clear();
}

Test(document, json_is_yaml) {
    cr_assert(read_text("{\n\t\"a\": [1, true, null],\n\t\"b\": {\"c\": \"d\"}\n}\n"), "%s", problems.items[0].message);
    cr_assert_eq(document.root->count, 2);
    clear();
}

Test(document, byte_order_mark_and_windows_line_ends_are_let_in) {
    cr_assert(read_text("\xef\xbb\xbf"
                        "a: 1\r\nb: 2\r\n"));
    cr_assert_str_eq(document.root->first->text, "a");
    cr_assert_eq(document.root->first->next->next->line, 2);
    clear();
}

struct bad {
    const char *text;
    unsigned line;
    const char *fragment;
};

static const struct bad bad[] = {
    {"", 1, "the file is empty"},
    {"\n# only this\n", 1, "the file is empty"},
    {"---\n", 1, "the file is empty"},
    {"~\n", 1, "the file is empty"},
    {"a: 1\n---\nb: 2\n", 2, "a second document"},
    {"a: 1\n...\n---\n", 3, "a second document"},
    {"a: &x 1\nb: 2\n", 1, "anchors"},
    {"a: 1\nb: *x\n", 2, "anchors"},
    {"a: &x\n  - *x\n", 1, "anchors"},
    {"a: 1\nb: !!str 2\n", 2, "anchors"},
    {"a: !x [1]\n", 1, "anchors"},
    {"a: 1\nb: *.example.com\n", 2, "must be in quotes"},
    {"a:\n\tb: 1\n", 2, "a tab"},
    {"a: 1\n b: 2\n", 2, "not YAML: a \": \" where no key can be"},
    {"a: [1\nb: 2\n", 2, "the list in [ ] that begins at line 1"},
    {"a: 1\nb: \"x\n", 2, "a quote that opens at line 2 is not closed"},
    {"a: 1\n}\n", 2, "not YAML"},
    {"- a\nb: 1\n", 2, "nor is it an item of the list that begins at line 1"},
    {"a: @b\n", 1, "cannot begin with @"},
    {"%FOO\n---\na: 1\n", 1, "not YAML"},
    {"? [a]\n: 1\n", 1, "a key must be a name"},
    {"a: 1\n{b: c}: 1\n", 2, "a key must be a name"},
    {"a: 1\nb: \"x\\0y\"\n", 2, "control character"},
    {"a: \"x\\ny\"\n", 1, "control character"},
    {"a: |\n  x\n  y\n", 1, "control character"},
    {"a: 1\nb: x\x01y\n", 2, "control characters"},
    {"a: 1\nb: \xff\n", 2, "not UTF-8"},
    {"a: \xc3", 1, "not UTF-8"},
    {"a: \xc0\x80\n", 1, "not UTF-8"},
    {"a: \xed\xa0\x80\n", 1, "not UTF-8"},
    {"a: \xe0\x80\xaf\n", 1, "not UTF-8"},
    {"a: \xf4\x90\x80\x80\n", 1, "not UTF-8"},
    {"a: \xf0\x80\x80\x80\n", 1, "not UTF-8"},
    {"\xff\xfe"
     "a",
     1, "not UTF-8"},
    {"[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", 1, "more than 16 deep"},
};

Test(document, refuses) {
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        cr_assert_not(read_text(bad[i].text), "%s", bad[i].text);
        cr_assert_eq(problems.count, 1, "%s", bad[i].text);
        cr_assert_eq(problems.items[0].line, bad[i].line, "%s: line %u: %s", bad[i].text, problems.items[0].line,
                     problems.items[0].message);
        cr_assert_not_null(strstr(problems.items[0].message, bad[i].fragment), "%s: %s", bad[i].text,
                           problems.items[0].message);
        clear();
    }
}

Test(document, refuses_nul_bytes) {
    cr_assert_not(read_bytes("a: 1\nb: \0\n", 10));
    cr_assert_eq(problems.items[0].line, 2);
    cr_assert_not_null(strstr(problems.items[0].message, "NUL"));
    clear();
}

Test(document, every_key_given_twice_is_a_problem_but_reading_goes_on) {
    cr_assert(read_text("a: 1\nb: {x: 1, x: 2}\na: 3\n\"a\": 4\n"));
    cr_assert_eq(problems.count, 3);
    cr_assert_eq(problems.items[0].line, 2);
    cr_assert_str_eq(problems.items[0].message, "key \"x\" is given twice, first at line 2");
    cr_assert_eq(problems.items[1].line, 3);
    cr_assert_eq(problems.items[2].line, 4);
    cr_assert_str_eq(problems.items[2].message, "key \"a\" is given twice, first at line 1");
    clear();
}

Test(document, sixteen_levels_are_let_in) {
    cr_assert(read_text("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]"));
    clear();
}

Test(document, bounds_the_keys_of_a_mapping) {
    for (int count = DOCUMENT_KEYS_MAX; count <= DOCUMENT_KEYS_MAX + 1; count++) {
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        for (int i = 0; i < count; i++) {
            fprintf(out, "k%d: 1\n", i);
        }
        fclose(out);
        cr_assert_eq(read_bytes(text, size), count == DOCUMENT_KEYS_MAX);
        free(text);
        clear();
    }
}

Test(document, bounds_the_values) {
    size_t size = 2 * (DOCUMENT_NODES_MAX + 1);
    char *text = malloc(size);
    for (size_t i = 0; i < size; i += 2) {
        memcpy(text + i, "a,", 2);
    }
    text[0] = '[';
    text[1] = ' ';
    text[size - 1] = ']';
    cr_assert_not(read_bytes(text, size));
    cr_assert_not_null(strstr(problems.items[0].message, "more than 262144 values"), "%s", problems.items[0].message);
    free(text);
    clear();
}

Test(document, values_are_found_by_key) {
    cr_assert(read_text("a: 1\nb: [a]\nc:\n"));
    cr_assert_str_eq(document_value(document.root, "a")->text, "1");
    cr_assert_eq(document_value(document.root, "b")->type, DOCUMENT_LIST);
    cr_assert(document_is_null(document_value(document.root, "c")));
    cr_assert_null(document_value(document.root, "1"));
    cr_assert_null(document_value(document_value(document.root, "a"), "a"));
    cr_assert_null(document_value(document_value(document.root, "b"), "a"));
    cr_assert_null(document_value(NULL, "a"));
    clear();
}
