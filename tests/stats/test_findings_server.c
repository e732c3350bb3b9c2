#include "stats/findings_server.h"

#include <criterion/criterion.h>
#include <string.h>

static struct findings findings;
static struct findings_marks marks;

static void judge(struct findings_server server) {
    findings = (struct findings){0};
    findings_of_server(&findings, &server, &marks);
}

static void expect(enum finding_level level, enum finding_what what, const char *part) {
    cr_assert_eq(findings.count, 1, "%zu findings", findings.count);
    cr_expect_eq(findings.items[0].level, level);
    cr_expect_eq(findings.items[0].what, what);
    cr_expect_str_eq(findings.items[0].host, "");
    cr_expect_not_null(strstr(findings.items[0].text, part), "%s", findings.items[0].text);
}

Test(findings_server, nothing_is_wrong_with_a_calm_one) {
    judge((struct findings_server){.handshakes = 5000, .refused = 100, .work_known = 1.5, .work_others = 0.2});
    cr_expect_eq(findings.count, 0);
}

Test(findings_server, a_flood_is_told_when_it_lasts_and_until_it_is_over) {
    const struct {
        unsigned flooded_s;
        bool found;
    } seconds[] = {{1, false}, {2, false}, {3, true}, {10, true}, {2, true}, {1, true}, {0, false}, {2, false}};
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        judge((struct findings_server){.flooded_s = seconds[i].flooded_s, .loaded_s = seconds[i].flooded_s});
        cr_expect_eq(findings.count > 0 && findings.items[0].what == FINDING_FLOODED, seconds[i].found, "step %zu", i);
    }
}

Test(findings_server, a_flood_says_what_is_refused_and_what_it_costs) {
    judge((struct findings_server){
        .flooded_s = 10, .loaded_s = 10, .handshakes = 900, .refused = 27100.4, .work_known = 0.11, .work_others = 0.061});
    expect(FINDING_CRITICAL, FINDING_FLOODED, "27100 connections and requests a second are refused.");
    expect(FINDING_CRITICAL, FINDING_FLOODED, "known clients take 0.11 cores, those of all others 0.06.");
    cr_expect_null(strstr(findings.items[0].text, "too small"));
}

Test(findings_server, own_clients_that_are_too_many_are_told_apart_from_strangers) {
    const struct findings_server own = {
        .loaded_s = 10, .handshakes = 9000, .valid = 8900, .refused = 3, .work_known = 1.9, .work_others = 0.1};
    judge(own);
    expect(FINDING_WARNING, FINDING_LOADED, "Nearly all are valid clients of yours: this machine is too small");
    struct findings_server strangers[] = {own, own, own, own};
    strangers[0].refused = 3000; /* before their handshakes */
    strangers[1].valid = 900;    /* or for certificates that are not valid */
    strangers[2].work_known = 0; /* valid certificates that nobody has seen before */
    strangers[3] = (struct findings_server){.loaded_s = 10, .handshakes = 900, .refused = 900, .work_others = 0.9};
    for (size_t i = 0; i < 4; i++) {
        judge(strangers[i]);
        expect(FINDING_WARNING, FINDING_LOADED, "more to do than it can");
        cr_expect_null(strstr(findings.items[0].text, "yours"), "%s", findings.items[0].text);
    }
}

Test(findings_server, a_loaded_one_comes_late_and_goes_late) {
    judge((struct findings_server){.loaded_s = 4});
    cr_expect_eq(findings.count, 0);
    judge((struct findings_server){.loaded_s = 5});
    expect(FINDING_WARNING, FINDING_LOADED, "more to do than it can");
    judge((struct findings_server){.loaded_s = 1});
    expect(FINDING_WARNING, FINDING_LOADED, "");
    judge((struct findings_server){.loaded_s = 0});
    cr_expect_eq(findings.count, 0);
}

Test(findings_server, places_that_are_taken) {
    judge((struct findings_server){.places_refused = 9});
    cr_expect_eq(findings.count, 0);
    judge((struct findings_server){.places_refused = 10});
    expect(FINDING_CRITICAL, FINDING_PLACES_TAKEN, "10 connections were refused in the last minute");
    judge((struct findings_server){.places_refused = 1});
    expect(FINDING_CRITICAL, FINDING_PLACES_TAKEN, "");
    judge((struct findings_server){.places_refused = 0});
    cr_expect_eq(findings.count, 0);
}

Test(findings_server, a_reload_that_failed_and_a_log_that_loses_lines) {
    judge((struct findings_server){.reload_failed = true, .config_loaded_s = 1764000000});
    expect(FINDING_WARNING, FINDING_RELOAD_FAILED, "the configuration of 2025-11-24T16:00:00Z is still served");
    judge((struct findings_server){.log_dropped = 12});
    expect(FINDING_WARNING, FINDING_LOG_DROPPED, "12 lines of the access log were lost");
}
