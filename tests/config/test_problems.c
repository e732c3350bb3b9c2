#include "config/problems.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <stdlib.h>

Test(problems, are_sorted_by_line_and_keep_their_order) {
    struct config_problems problems = {0};
    problems_add(&problems, "f", 5, "five");
    problems_add(&problems, "f", 2, "two, first");
    problems_add(&problems, "f", 9, "nine");
    problems_add(&problems, "f", 2, "two, second");
    problems_add(&problems, "f", 1, "%s", "one");
    char *out = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&out, &size);
    config_problems_print(&problems, stream);
    fclose(stream);
    cr_assert_str_eq(out, "f:1: one\nf:2: two, first\nf:2: two, second\nf:5: five\nf:9: nine\n");
    free(out);
    config_problems_free(&problems);
    cr_assert_eq(problems.count, 0);
}

Test(problems, that_are_warnings_say_so) {
    struct config_problems warnings = {0};
    problems_add(&warnings, "f", 3, "three");
    problems_add(&warnings, "f", 0, "the whole file");
    char *out = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&out, &size);
    config_warnings_print(&warnings, stream);
    fclose(stream);
    cr_assert_str_eq(out, "f: warning: the whole file\nf:3: warning: three\n");
    free(out);
    config_problems_free(&warnings);
}

Test(problems, are_one_line_whatever_is_in_them) {
    struct config_problems problems = {0};
    problems_add(&problems, "a\nb", 1, "x\ny\tz\x1b\x7f\xc3\xa9");
    cr_assert_str_eq(problems.items[0].file, "a?b");
    cr_assert_str_eq(problems.items[0].message, "x?y?z??\xc3\xa9");
    config_problems_free(&problems);
}

Test(problems, grow) {
    struct config_problems problems = {0};
    for (unsigned i = 1000; i > 0; i--) {
        problems_add(&problems, "f", i, "%u", i);
    }
    cr_assert_eq(problems.count, 1000);
    for (unsigned i = 0; i < 1000; i++) {
        cr_assert_eq(problems.items[i].line, i + 1);
    }
    config_problems_free(&problems);
}

Test(problems, have_a_text) {
    static const struct {
        unsigned line;
        const char *kind;
        const char *text;
    } cases[] = {
        {7, "", "f.yaml:7: what"},
        {7, "warning: ", "f.yaml:7: warning: what"},
        {0, "", "f.yaml: what"},
        {UINT_MAX, "", "f.yaml:4294967295: what"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char file[] = "f.yaml";
        char message[] = "what";
        const struct config_problem problem = {.file = file, .line = cases[i].line, .message = message};
        char *text = problem_text(&problem, cases[i].kind);
        cr_expect_str_eq(text, cases[i].text);
        free(text);
    }
}
