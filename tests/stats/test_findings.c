#include "stats/findings.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct findings findings;

static void add(enum finding_level level, enum finding_what what, uint64_t weight, const char *text) {
    struct finding finding = {.level = level, .what = what, .weight = weight};
    snprintf(finding.text, sizeof finding.text, "%s", text);
    findings_add(&findings, &finding);
}

Test(findings, the_worst_is_the_first) {
    add(FINDING_WARNING, FINDING_CLIENTS_REFUSED, 9, "e");
    add(FINDING_CRITICAL, FINDING_FLOODED, 0, "d");
    add(FINDING_WARNING, FINDING_LOG_DROPPED, 0, "f");
    add(FINDING_CRITICAL, FINDING_ORIGIN_DOWN, 5, "b");
    add(FINDING_CRITICAL, FINDING_ORIGIN_DOWN, 4, "c");
    add(FINDING_CRITICAL, FINDING_CLIENTS_REFUSED, 0, "a");
    cr_assert_eq(findings.count, 6);
    for (size_t i = 0; i < 6; i++) {
        cr_expect_eq(findings.items[i].text[0], 'a' + (int)i);
    }
    cr_expect_eq(findings.left_out, 0);
}

Test(findings, of_those_that_are_alike_the_first_stays_first) {
    add(FINDING_WARNING, FINDING_CRL_ENDS, 1, "a");
    add(FINDING_WARNING, FINDING_CRL_ENDS, 1, "b");
    cr_expect_str_eq(findings.items[0].text, "a");
}

Test(findings, of_too_many_the_least_bad_are_left_out) {
    for (unsigned i = 0; i < 1000; i++) {
        add(FINDING_WARNING, FINDING_CRL_ENDS, i * 7919 % 1000, "");
    }
    add(FINDING_CRITICAL, FINDING_SERVER_ERRORS, 0, "");
    cr_assert_eq(findings.count, FINDINGS_MAX);
    cr_expect_eq(findings.left_out, 1001 - FINDINGS_MAX);
    cr_expect_eq(findings.items[0].what, FINDING_SERVER_ERRORS);
    for (size_t i = 1; i < FINDINGS_MAX; i++) {
        cr_expect_eq(findings.items[i].weight, 1000 - i);
    }
}

Test(findings, names_are_those_of_the_documents) {
    cr_expect_str_eq(finding_level_name(FINDING_CRITICAL), "critical");
    cr_expect_str_eq(finding_level_name(FINDING_WARNING), "warning");
    for (unsigned i = 0; i < FINDING_KINDS; i++) {
        for (unsigned j = 0; j < i; j++) {
            cr_expect_str_neq(finding_what_name((enum finding_what)i), finding_what_name((enum finding_what)j));
        }
    }
}
