#include "stats/labels.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Test(labels, a_code_goes_to_its_own_slot_or_to_its_hundreds) {
    unsigned own = 0;
    for (unsigned status = 0; status <= 1200; status++) {
        unsigned slot = stats_code_slot(status);
        cr_assert_lt(slot, STATS_CODES);
        const char *name = stats_code_name(slot);
        char exact[8];
        snprintf(exact, sizeof exact, "%u", status);
        char hundred[8];
        snprintf(hundred, sizeof hundred, "%uxx", status / 100);
        if (status < 100 || status > 599) {
            cr_assert_str_eq(name, "other", "%u", status);
        } else if (strcmp(name, exact) == 0) {
            own++;
        } else {
            cr_assert_str_eq(name, hundred, "%u", status);
        }
    }
    cr_assert_eq(own, STATS_CODES - 6);
    cr_assert_str_eq(stats_code_name(stats_code_slot(UINT32_MAX)), "other");
}

Test(labels, a_code_has_its_hundred) {
    for (unsigned status = 0; status <= 1200; status++) {
        cr_assert_eq(stats_code_class(stats_code_slot(status)), status >= 100 && status <= 599 ? status / 100 : 0, "%u",
                     status);
    }
}

/* The codes of this server's own answers are told apart. */
Test(labels, our_own_codes_have_slots) {
    static const unsigned codes[] = {200, 400, 403, 404, 405, 408, 413, 414, 417, 421, 431, 500, 501, 502, 503, 504, 505};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        cr_assert_eq((unsigned)atoi(stats_code_name(stats_code_slot(codes[i]))), codes[i]);
    }
}

Test(labels, a_status_says_why_a_request_is_refused) {
    cr_expect_eq(stats_rejection_of_status(400), STATS_REJECT_MALFORMED);
    cr_expect_eq(stats_rejection_of_status(408), STATS_REJECT_TIMEOUT);
    cr_expect_eq(stats_rejection_of_status(413), STATS_REJECT_TOO_LARGE);
    cr_expect_eq(stats_rejection_of_status(414), STATS_REJECT_TOO_LARGE);
    cr_expect_eq(stats_rejection_of_status(417), STATS_REJECT_MALFORMED);
    cr_expect_eq(stats_rejection_of_status(431), STATS_REJECT_TOO_LARGE);
    cr_expect_eq(stats_rejection_of_status(501), STATS_REJECT_NOT_IMPLEMENTED);
    cr_expect_eq(stats_rejection_of_status(505), STATS_REJECT_MALFORMED);
}

static void assert_snake_case(const char *name) {
    cr_assert_gt(strlen(name), 0);
    for (const char *at = name; *at != '\0'; at++) {
        cr_assert(islower((unsigned char)*at) || isdigit((unsigned char)*at) || *at == '_', "%s", name);
    }
}

Test(labels, names_are_the_contracts) {
    cr_assert_str_eq(stats_result_name(STATS_OK), "ok");
    cr_assert_str_eq(stats_result_name(STATS_FAILED), "failed");
    cr_assert_str_eq(stats_result_name(STATS_TIMEOUT), "timeout");
    cr_assert_str_eq(stats_kind_name(STATS_FULL), "full");
    cr_assert_str_eq(stats_kind_name(STATS_RESUMED), "resumed");
    static const char *const stages[] = {"accept", "hello", "admission", "handshake", "certificate", "request"};
    for (unsigned stage = 0; stage < STATS_STAGE_COUNT; stage++) {
        cr_assert_str_eq(stats_stage_name(stage), stages[stage]);
    }
    cr_assert_str_eq(stats_label_value(STATS_LABEL_PROTOCOL, STATS_HTTP1), "http1");
    cr_assert_str_eq(stats_label_value(STATS_LABEL_PROTOCOL, STATS_HTTP2), "http2");
    static const char *const budgets[] = {"source_work", "certificate_rate", "certificate_connections",
                                          "certificate_sources"};
    for (unsigned budget = 0; budget < STATS_BUDGET_COUNT; budget++) {
        cr_assert_str_eq(stats_budget_name(budget), budgets[budget]);
    }
    for (unsigned a = 0; a < STATS_REJECTION_COUNT; a++) {
        assert_snake_case(stats_rejection_name(a));
        for (unsigned b = 0; b < a; b++) {
            cr_assert_str_neq(stats_rejection_name(a), stats_rejection_name(b));
        }
    }
}

Test(labels, each_rejection_occurs_somewhere) {
    for (unsigned rejection = 0; rejection < STATS_REJECTION_COUNT; rejection++) {
        unsigned stages = 0;
        for (unsigned stage = 0; stage < STATS_STAGE_COUNT; stage++) {
            stages += stats_rejection_occurs(stage, rejection);
        }
        cr_assert(stages >= 1 && stages <= 5, "%s", stats_rejection_name(rejection));
    }
    cr_assert(stats_rejection_occurs(STATS_AT_CERTIFICATE, STATS_REJECT_DENIED));
    cr_assert(!stats_rejection_occurs(STATS_AT_REQUEST, STATS_REJECT_DENIED));
}

Test(labels, each_has_a_name_and_named_values) {
    for (unsigned label = STATS_LABEL_SHARD; label < STATS_LABEL_COUNT; label++) {
        assert_snake_case(stats_label_name((enum stats_label)label));
        cr_assert_eq(stats_label_values((enum stats_label)label) == 0, label == STATS_LABEL_SHARD);
        for (unsigned value = 0; value < stats_label_values((enum stats_label)label); value++) {
            cr_assert_gt(strlen(stats_label_value((enum stats_label)label, value)), 0);
        }
    }
    cr_assert_str_eq(stats_label_value(STATS_LABEL_VERSION, STATS_TLS_NONE), "none");
    cr_assert_str_eq(stats_label_value(STATS_LABEL_PATH, STATS_JUDGED), "full");
    cr_assert_str_eq(stats_label_value(STATS_LABEL_VERDICT, REASON_REVOKED), "revoked");
}
