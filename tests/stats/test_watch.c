#include "stats/watch.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum { HOSTS = 30, NOW = 1000000 };

static struct stats_hosts *hosts;
static struct findings findings;
static uint64_t second = 7;

static void begin(void) {
    static char names[HOSTS][16];
    static const char *const origins[] = {"10.0.0.7:9000"};
    struct stats_host_facts facts[HOSTS];
    for (unsigned i = 0; i < HOSTS; i++) {
        snprintf(names[i], sizeof names[i], "h%u.example", i);
        facts[i] = (struct stats_host_facts){.host = names[i],
                                             .mode = i == 0   ? NULL
                                                     : i == 1 ? "report"
                                                              : "enforce",
                                             .origins = origins,
                                             .origin_count = 1};
    }
    hosts = stats_hosts_create(2, facts, HOSTS, NULL);
    cr_assert_not_null(hosts);
}

static void end(void) {
    stats_hosts_release(hosts);
}

TestSuite(watch, .init = begin, .fini = end);

static void look(void) {
    second++;
    for (size_t i = 0; i < stats_hosts_count(hosts); i++) {
        uint64_t counts[RECENT_COUNTS];
        stats_hosts_counts(hosts, i, counts);
        struct bits down = stats_hosts_origins_down(hosts, i);
        recent_sample(stats_hosts_recent(hosts, i), counts, &down, second);
    }
    findings = (struct findings){0};
    watch_hosts(&findings, hosts, true, NOW);
}

static void refuse(size_t host, uint64_t count) {
    stats_add(&stats_hosts_at(hosts, host, 1)->client_certs[REASON_CRL_STALE], count);
    stats_add(&stats_hosts_at(hosts, host, 1)->denied[REASON_CRL_STALE], count);
    stats_add(&stats_hosts_at(hosts, host, 1)->requests[stats_code_slot(403)][STATS_HTTP1], count);
}

Test(watch, no_hosts_have_nothing_wrong) {
    watch_hosts(&findings, NULL, true, NOW);
    cr_expect_eq(findings.count, 0);
    look();
    cr_expect_eq(findings.count, 0);
}

Test(watch, modes_decide_and_the_host_with_the_most_refused_is_the_first) {
    look();
    refuse(0, 50);
    refuse(1, 50);
    refuse(5, 50);
    refuse(7, 60);
    look();
    cr_assert_eq(findings.count, 3);
    cr_expect_str_eq(findings.items[0].host, "h7.example");
    cr_expect_str_eq(findings.items[1].host, "h5.example");
    cr_expect_eq(findings.items[1].level, FINDING_CRITICAL);
    cr_expect_str_eq(findings.items[2].host, "h1.example");
    cr_expect_eq(findings.items[2].level, FINDING_WARNING);
    cr_expect(stats_hosts_recent(hosts, 7)->in_doubt);
    cr_expect_not(stats_hosts_recent(hosts, 8)->in_doubt);
}

Test(watch, of_many_hosts_a_bounded_number_is_told) {
    look();
    for (size_t i = 0; i < HOSTS; i++) {
        stats_add(&stats_hosts_at(hosts, i, 0)->origins_down[0], 1);
    }
    look();
    look();
    look();
    cr_assert_eq(findings.count, FINDINGS_MAX);
    cr_expect_eq(findings.left_out, HOSTS - FINDINGS_MAX);
    cr_expect_eq(findings.items[0].what, FINDING_ORIGIN_DOWN);
}
