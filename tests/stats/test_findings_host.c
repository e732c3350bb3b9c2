/* Each test is a state that a host can be in, and what is to be said of it. Minutes are told as they would come. */
#include "stats/findings_host.h"

#include <criterion/criterion.h>
#include <string.h>

enum { NOW = 1764000000, HOUR = 3600, DAY = 86400 };

static struct recent recent;
static uint64_t counters[RECENT_COUNTS];
static uint64_t second;
static uint64_t down;
static struct findings findings;
static struct findings_host host;
static struct findings_marks marks;

static struct term certificates[2];
static struct term_list needs[STATS_TERMS];

static void begin(void) {
    static const char *const origins[] = {"10.0.0.7:9000", "10.0.0.8:9000"};
    host = (struct findings_host){
        .name = "a.example",
        .recent = &recent,
        .now_s = NOW,
        .asks = true,
        .enforces = true,
        .calm = true,
        .origins = origins,
        .origin_count = 2,
        .terms = needs,
    };
    needs[STATS_CERTIFICATES] = (struct term_list){certificates, 1};
    certificates[0] = (struct term){.name = "a.pem", .end = NOW + 300 * DAY};
    second = 9; /* so that a slot has ended whenever whole tens of seconds have passed */
    recent_sample(&recent, counters, &(struct bits){0}, second);
}

TestSuite(findings_host, .init = begin);

static void look(void) {
    recent_sample(&recent, counters, &(struct bits){{down}}, second);
    findings = (struct findings){0};
    findings_of_host(&findings, &host, &marks);
    recent.in_doubt = recent.in_doubt || (marks.severe >> FINDING_CLIENTS_REFUSED & 1) != 0;
}

/* So many seconds, in each of which clients do that. */
struct deeds {
    uint64_t valid;           /* handshakes */
    uint64_t served;          /* requests */
    uint64_t refused;         /* handshakes, each with a request that is answered 403 */
    enum reason reason;       /* why */
    uint64_t origin_answers;  /* further requests that the origin answers 500 */
    uint64_t gateway_answers; /* further ones that are answered 502 */
};

static void pass(unsigned seconds, struct deeds deeds) {
    for (unsigned i = 0; i < seconds; i++) {
        counters[RECENT_VERDICTS + REASON_OK] += deeds.valid;
        counters[RECENT_2XX] += deeds.served;
        counters[RECENT_VERDICTS + deeds.reason] += deeds.refused;
        counters[RECENT_REFUSED + deeds.reason] += deeds.refused;
        counters[host.enforces ? RECENT_4XX : RECENT_2XX] += deeds.refused;
        counters[RECENT_ERRORS] += deeds.origin_answers;
        counters[RECENT_GATEWAY] += deeds.gateway_answers;
        second++;
        host.now_s++;
        look();
    }
}

static void expect_nothing(void) {
    cr_expect_eq(findings.count, 0, "%s", findings.items[0].text);
}

static void expect(enum finding_level level, enum finding_what what, const char *part) {
    cr_assert_gt(findings.count, 0, "nothing, instead of: %s", part);
    cr_expect_eq(findings.items[0].level, level, "%s", findings.items[0].text);
    cr_expect_eq(findings.items[0].what, what, "%s", findings.items[0].text);
    cr_expect_str_eq(findings.items[0].host, "a.example");
    cr_expect_not_null(strstr(findings.items[0].text, part), "%s", findings.items[0].text);
}

static const struct deeds well = {.valid = 5, .served = 50};

Test(findings_host, nothing_is_wrong_where_nobody_comes_or_all_is_well) {
    pass(60, (struct deeds){0});
    expect_nothing();
    pass(1000, well);
    expect_nothing();
    pass(60, (struct deeds){0});
    expect_nothing();
}

Test(findings_host, a_list_that_has_ended_is_told_by_what_it_refuses) {
    pass(300, well);
    pass(60, (struct deeds){.refused = 5, .reason = REASON_CRL_STALE});
    expect(FINDING_CRITICAL, FINDING_CLIENTS_REFUSED,
           "Nearly all clients of a.example are refused: 300 of 300 handshakes in the last minute, most as crl_stale.");
    expect(FINDING_CRITICAL, FINDING_CLIENTS_REFUSED, "A revocation list has ended");
}

Test(findings_host, and_at_once_after_a_start) {
    pass(3, (struct deeds){.refused = 2, .reason = REASON_CRL_STALE});
    expect(FINDING_CRITICAL, FINDING_CLIENTS_REFUSED, "6 of 6 handshakes");
}

Test(findings_host, it_names_the_list_and_says_it_once) {
    const struct term lists[] = {{.name = "CN=Devices", .end = NOW - 2 * HOUR}, {.name = "CN=Root", .end = NOW + 90 * DAY}};
    needs[STATS_CRLS] = (struct term_list){lists, 2};
    pass(60, (struct deeds){.refused = 5, .reason = REASON_CRL_STALE});
    expect(FINDING_CRITICAL, FINDING_CLIENTS_REFUSED, "The revocation list of CN=Devices ended at 2025-11-24T14:00:00Z");
    cr_expect_eq(findings.count, 1);
}

Test(findings_host, roots_that_were_swapped_are_told_because_the_own_clients_are_missed) {
    pass(900, well);
    pass(10, (struct deeds){.refused = 5, .reason = REASON_UNKNOWN_ISSUER});
    expect_nothing();
    pass(5, (struct deeds){.refused = 5, .reason = REASON_UNKNOWN_ISSUER});
    expect(FINDING_CRITICAL, FINDING_CLIENTS_REFUSED,
           "Nearly all clients of a.example are refused: 50 of 50 handshakes in the last ten seconds, most as "
           "unknown_issuer. Valid "
           "clients made 0 handshakes and requests; in each ten seconds before, 550 at least.");
    for (unsigned i = 0; i < 45; i++) {
        pass(1, (struct deeds){.refused = 5, .reason = REASON_UNKNOWN_ISSUER});
        /* Valid ones of before are in the minute for a while, so that it would not be true of that. */
        expect(FINDING_CRITICAL, FINDING_CLIENTS_REFUSED,
               i < 40 ? "50 of 50 handshakes in the last ten seconds" : "in the last ");
    }
    expect(FINDING_CRITICAL, FINDING_CLIENTS_REFUSED,
           "most as unknown_issuer. Valid clients made 0 handshakes and requests; in each "
           "minute before, 3300 at least. Their CA is not in client_auth.ca");
    /* And it is still told hours later. */
    pass(5 * HOUR, (struct deeds){.refused = 5, .reason = REASON_UNKNOWN_ISSUER});
    expect(FINDING_CRITICAL, FINDING_CLIENTS_REFUSED, "3300 at least");
    pass(120, well);
    expect_nothing();
}

Test(findings_host, a_ca_that_has_ended_is_told_alike) {
    pass(600, well);
    pass(60, (struct deeds){.refused = 5, .reason = REASON_EXPIRED});
    expect(FINDING_CRITICAL, FINDING_CLIENTS_REFUSED, "Their certificates have ended, or that of a CA above them.");
}

Test(findings_host, strangers_are_no_outage_whatever_they_show_and_however_many) {
    const enum reason reasons[] = {REASON_UNKNOWN_ISSUER, REASON_BAD_SIGNATURE, REASON_ABSENT, REASON_EXPIRED,
                                   REASON_REVOKED};
    pass(600, well);
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        pass(120, (struct deeds){.valid = 5, .served = 50, .refused = 3000, .reason = reasons[i]});
        for (size_t j = 0; j < findings.count; j++) {
            cr_expect_neq(findings.items[j].level, FINDING_CRITICAL, "%s", findings.items[j].text);
        }
        pass(120, well);
        expect_nothing();
    }
}

Test(findings_host, strangers_while_the_own_clients_are_silent_are_a_warning) {
    /* These come in bursts, once in twenty minutes. */
    for (unsigned i = 0; i < 3; i++) {
        pass(30, well);
        pass(1170, (struct deeds){0});
    }
    pass(120, (struct deeds){.refused = 30, .reason = REASON_UNKNOWN_ISSUER});
    expect(FINDING_WARNING, FINDING_CLIENTS_REFUSED,
           "No client of a.example is valid, and it is not known whether these are your own");
}

Test(findings_host, clients_that_come_once_a_minute_are_not_missed_in_between) {
    for (unsigned i = 0; i < 15; i++) {
        pass(10, (struct deeds){.valid = 30, .served = 30});
        pass(50, (struct deeds){0});
    }
    for (unsigned i = 0; i < 5; i++) {
        pass(10, (struct deeds){.valid = 30, .served = 30, .refused = 30, .reason = REASON_UNKNOWN_ISSUER});
        for (unsigned j = 0; j < 50; j++) {
            pass(1, (struct deeds){.refused = 30, .reason = REASON_UNKNOWN_ISSUER});
            cr_assert(findings.count == 0 || findings.items[0].level == FINDING_WARNING, "%s", findings.items[0].text);
        }
    }
}

Test(findings_host, one_client_that_is_refused_again_and_again_is_nothing) {
    pass(600, well);
    pass(600, (struct deeds){.valid = 5, .served = 50, .refused = 1, .reason = REASON_EXPIRED});
    expect_nothing();
    /* Others have connections that they keep. */
    pass(600, (struct deeds){.served = 50, .refused = 1, .reason = REASON_EXPIRED});
    expect_nothing();
    pass(600, (struct deeds){.served = 50, .refused = 1, .reason = REASON_UNKNOWN_ISSUER});
    expect_nothing();
}

Test(findings_host, one_client_at_a_host_without_others_is_a_warning_at_most) {
    pass(600, (struct deeds){.refused = 1, .reason = REASON_EXPIRED});
    expect(FINDING_WARNING, FINDING_CLIENTS_REFUSED, "No client of a.example is valid");
}

Test(findings_host, a_few_that_are_refused_are_nothing) {
    pass(1, (struct deeds){.refused = 1, .reason = REASON_CRL_STALE});
    expect_nothing();
    pass(60, (struct deeds){0});
    pass(1, (struct deeds){.refused = 9, .reason = REASON_UNKNOWN_ISSUER});
    expect_nothing();
}

Test(findings_host, clients_without_a_certificate_are_missed_too_behind_a_proxy) {
    pass(600, well);
    pass(60, (struct deeds){.refused = 5, .reason = REASON_ABSENT});
    expect(FINDING_CRITICAL, FINDING_CLIENTS_REFUSED, "a proxy before this server may end their TLS");
}

Test(findings_host, scanners_without_a_certificate_are_nothing) {
    pass(600, (struct deeds){.refused = 20, .reason = REASON_ABSENT});
    expect_nothing();
}

Test(findings_host, nobody_was_ever_valid) {
    pass(20, (struct deeds){.refused = 5, .reason = REASON_UNKNOWN_ISSUER});
    expect(FINDING_CRITICAL, FINDING_CLIENTS_REFUSED, "Nearly all clients of a.example are refused: 100 of 100 handshakes");
}

Test(findings_host, in_a_flood_it_is_not_known_who_these_are) {
    host.calm = false;
    pass(60, (struct deeds){.refused = 5000, .reason = REASON_UNKNOWN_ISSUER});
    expect(FINDING_WARNING, FINDING_CLIENTS_REFUSED, "it is not known whether these are your own");
}

Test(findings_host, a_part_of_the_fleet_that_was_not_renewed_is_a_warning) {
    pass(600, well);
    pass(120, (struct deeds){.valid = 3, .served = 30, .refused = 2, .reason = REASON_EXPIRED});
    expect(FINDING_WARNING, FINDING_CLIENTS_REFUSED, "Some clients of a.example are refused: 120 of 300 handshakes");
}

Test(findings_host, a_list_that_refuses_few_is_a_warning) {
    pass(600, well);
    pass(60, (struct deeds){.valid = 5, .served = 50, .refused = 1, .reason = REASON_CRL_MISSING});
    expect(FINDING_WARNING, FINDING_CLIENTS_REFUSED, "An issuer has no revocation list");
}

Test(findings_host, in_mode_report_it_is_a_warning) {
    host.enforces = false;
    pass(600, well);
    pass(60, (struct deeds){.refused = 5, .reason = REASON_CRL_STALE});
    expect(FINDING_WARNING, FINDING_CLIENTS_REFUSED,
           "Nearly all clients of a.example are not valid, as its origin is told: 300 of 300");
}

Test(findings_host, a_host_that_asks_for_no_certificates_has_no_clients_that_are_refused) {
    host.asks = host.enforces = false;
    pass(600, (struct deeds){.refused = 50, .reason = REASON_UNKNOWN_ISSUER});
    expect_nothing();
}

Test(findings_host, it_neither_comes_nor_goes_with_each_second) {
    unsigned changes = 0;
    bool before = false;
    pass(600, well);
    for (unsigned i = 0; i < 600; i++) { /* about one in ten is good, more or less */
        pass(1, (struct deeds){.valid = i % 2 == 0, .served = i % 3 == 0, .refused = 4, .reason = REASON_CRL_STALE});
        bool critical = findings.count > 0 && findings.items[0].level == FINDING_CRITICAL;
        changes += critical != before;
        before = critical;
    }
    cr_expect_leq(changes, 1);
}

Test(findings_host, origins_that_are_down) {
    down = 1;
    pass(2, well);
    expect_nothing();
    pass(1, well);
    expect(FINDING_WARNING, FINDING_ORIGIN_DOWN,
           "1 of 2 origins of a.example is down: the last connection to 10.0.0.7:9000 failed. Requests go to the others.");
    down = 3;
    pass(3, (struct deeds){.valid = 5, .gateway_answers = 40});
    expect(FINDING_CRITICAL, FINDING_ORIGIN_DOWN, "All 2 origins of a.example are down");
    expect(FINDING_CRITICAL, FINDING_ORIGIN_DOWN, "120 requests were answered 502 or 504 in the last minute.");
    cr_expect_eq(findings.count, 1, "that there are errors goes without saying");
    host.origin_count = 1;
    look();
    expect(FINDING_CRITICAL, FINDING_ORIGIN_DOWN,
           "The origin of a.example is down: the last connection to 10.0.0.7:9000 failed.");
    down = 0;
    pass(1, well);
    cr_expect_neq(findings.items[0].what, FINDING_ORIGIN_DOWN);
}

Test(findings_host, of_a_tcp_host_speak_of_no_requests) {
    host.is_tcp = true;
    pass(300, (struct deeds){.valid = 5});
    down = 1;
    pass(3, (struct deeds){.valid = 5});
    expect(FINDING_WARNING, FINDING_ORIGIN_DOWN, "Clients go to the others.");
    down = 3;
    pass(3, (struct deeds){.valid = 5});
    expect(FINDING_CRITICAL, FINDING_ORIGIN_DOWN, "All 2 origins of a.example are down");
    cr_expect_null(strstr(findings.items[0].text, "request"), "%s", findings.items[0].text);
    down = 0;
    pass(60, (struct deeds){.refused = 5, .reason = REASON_CRL_STALE});
    expect(FINDING_CRITICAL, FINDING_CLIENTS_REFUSED, "280 of 280 handshakes in the last minute");
}

/* Each is a handshake alone: as requests, too, the refused would be twice as many as the good. */
Test(findings_host, of_a_tcp_host_count_a_refused_connection_once) {
    host.is_tcp = true;
    pass(300, (struct deeds){.valid = 10});
    pass(60, (struct deeds){.valid = 10, .refused = 1, .reason = REASON_CRL_STALE});
    cr_expect_eq(findings.items[0].weight, 60, "%llu", (unsigned long long)findings.items[0].weight);
}

Test(findings_host, origins_whose_health_checks_fail) {
    static const char why[2][STATS_WHY_SIZE] = {"status 503", "connection refused"};
    host.why = why;
    down = 2;
    pass(3, well);
    expect(
        FINDING_WARNING, FINDING_ORIGIN_DOWN,
        "1 of 2 origins of a.example is down: the health checks of 10.0.0.8:9000 fail: connection refused. Requests go to "
        "the others.");
    down = 3;
    pass(3, well);
    expect(FINDING_CRITICAL, FINDING_ORIGIN_DOWN,
           "All 2 origins of a.example are down; of one, the health checks of 10.0.0.7:9000 fail: status 503. 0 requests");
    host.origin_count = 1;
    look();
    expect(FINDING_CRITICAL, FINDING_ORIGIN_DOWN,
           "The origin of a.example is down: the health checks of 10.0.0.7:9000 fail: status 503.");
}

Test(findings_host, answers_that_are_errors) {
    pass(300, well);
    pass(60, (struct deeds){.valid = 5, .served = 49, .origin_answers = 1});
    expect_nothing();
    pass(60, (struct deeds){.valid = 5, .served = 45, .origin_answers = 5});
    expect(FINDING_WARNING, FINDING_SERVER_ERRORS, "most by the origin itself");
    pass(60, (struct deeds){.valid = 5, .served = 48, .origin_answers = 2});
    expect(FINDING_WARNING, FINDING_SERVER_ERRORS, "");
    pass(60, (struct deeds){.valid = 5, .served = 10, .gateway_answers = 40});
    expect(FINDING_CRITICAL, FINDING_SERVER_ERRORS,
           "2400 of 3000 requests to a.example were answered 5xx in the last minute, most 502 or 504");
    pass(120, well);
    expect_nothing();
}

Test(findings_host, a_few_errors_are_nothing) {
    pass(1, (struct deeds){.valid = 1, .gateway_answers = 9});
    expect_nothing();
}

static void certificate_in(int64_t left) {
    certificates[0].end = host.now_s + left;
    look();
}

Test(findings_host, a_certificate_that_ends) {
    certificate_in(7 * DAY);
    expect_nothing();
    certificate_in(7 * DAY - 1);
    expect(FINDING_WARNING, FINDING_CERTIFICATE_ENDS, "The certificate of a.example, a.pem, ends in 6 days, at 2025-12-01T");
    certificate_in(DAY - 1);
    expect(FINDING_CRITICAL, FINDING_CERTIFICATE_ENDS, "ends in 23 hours");
    certificate_in(-1);
    expect(FINDING_CRITICAL, FINDING_CERTIFICATE_ENDED,
           "ended 1 second ago, at 2025-11-24T15:59:59Z: clients that check it do not connect");
}

Test(findings_host, of_two_certificates_the_first_to_end_is_named) {
    needs[STATS_CERTIFICATES].count = 2;
    certificates[1] = (struct term){.name = "b.pem", .end = host.now_s + 300 * DAY};
    certificate_in(6 * DAY - 1);
    expect(FINDING_WARNING, FINDING_CERTIFICATE_ENDS,
           "a.pem, ends in 5 days, at 2025-11-30T15:59:59Z. Replace the file, and reload.");
    certificates[1].end = host.now_s + 6 * DAY;
    look();
    expect(FINDING_WARNING, FINDING_CERTIFICATE_ENDS, "reload. The same holds for 1 more of this host.");
}

Test(findings_host, a_certificate_for_origins_that_ends) {
    struct term shown = {.name = "edge.pem", .end = host.now_s + 8 * DAY};
    needs[STATS_ORIGIN_CERTIFICATES] = (struct term_list){&shown, 1};
    look();
    expect_nothing();
    shown.end = host.now_s + 3 * DAY;
    look();
    expect(FINDING_WARNING, FINDING_CERTIFICATE_ENDS,
           "The certificate for the origins of a.example, edge.pem, ends in 3 days, at 2025-11-27T16:00:00Z. Replace the");
    shown.end = host.now_s - 1;
    look();
    expect(FINDING_CRITICAL, FINDING_CERTIFICATE_ENDED,
           "ended 1 second ago, at 2025-11-24T15:59:59Z: origins that check it refuse connections. Replace the file, and "
           "reload.");
    certificates[0].end = host.now_s - 1;
    look();
    cr_expect_eq(findings.count, 2, "each of them is told of");
}

Test(findings_host, what_lives_for_a_short_time_is_renewed_late) {
    certificates[0].begin = host.now_s - 18 * HOUR; /* one for a day */
    certificate_in(6 * HOUR);
    expect_nothing();
    certificate_in(5 * HOUR);
    expect(FINDING_WARNING, FINDING_CERTIFICATE_ENDS, "");
    certificates[0].begin = host.now_s - 23 * HOUR;
    certificate_in(HOUR / 2);
    expect(FINDING_CRITICAL, FINDING_CERTIFICATE_ENDS, "ends in 30 minutes");
}

static struct term terms[3];

static void lists_in(int64_t first, int64_t second_one) {
    terms[0] = (struct term){.name = "CN=Devices", .end = first == TERM_NEVER ? TERM_NEVER : host.now_s + first};
    terms[1] = (struct term){.name = "CN=Root", .end = host.now_s + second_one};
    needs[STATS_CRLS] = (struct term_list){terms, 2};
    look();
}

Test(findings_host, lists_that_end) {
    lists_in(30 * DAY, 90 * DAY);
    expect_nothing();
    lists_in(3 * DAY, 90 * DAY);
    expect(FINDING_WARNING, FINDING_CRL_ENDS,
           "The revocation list of CN=Devices, which a.example checks, ends in 3 days, at ");
    lists_in(HOUR, 2 * DAY);
    expect(FINDING_CRITICAL, FINDING_CRL_ENDS, "The same holds for 1 more of this host.");
    lists_in(-3 * HOUR, 2 * DAY);
    expect(FINDING_CRITICAL, FINDING_CRL_ENDED,
           "ended 3 hours ago, at 2025-11-24T13:00:00Z: clients of that issuer are refused.");
    host.takes_old_lists = true;
    look();
    expect(FINDING_WARNING, FINDING_CRL_ENDED, "who was revoked since is still valid");
    host.takes_old_lists = host.enforces = false;
    look();
    expect(FINDING_WARNING, FINDING_CRL_ENDED, "the origin is told");
}

Test(findings_host, a_list_without_an_end_never_ends) {
    lists_in(TERM_NEVER, 90 * DAY);
    needs[STATS_CRLS].count = 1;
    look();
    expect_nothing();
}

Test(findings_host, roots_that_end) {
    terms[0] = (struct term){.name = "CN=Old", .end = NOW - DAY};
    terms[1] = (struct term){.name = "CN=New", .end = NOW + 900 * DAY};
    needs[STATS_CLIENT_CAS] = (struct term_list){terms, 2};
    look();
    expect(FINDING_WARNING, FINDING_CLIENT_CA_ENDED, "The client CA CN=Old of a.example ended 24 hours ago");
    expect(FINDING_WARNING, FINDING_CLIENT_CA_ENDED, "Take it out of client_auth.ca");
    needs[STATS_CLIENT_CAS].count = 1;
    look();
    expect(FINDING_CRITICAL, FINDING_CLIENT_CA_ENDED, "no client is valid. Add the new one to client_auth.ca");
    terms[0].end = NOW + 5 * HOUR;
    look();
    expect(FINDING_CRITICAL, FINDING_CLIENT_CA_ENDS, "ends in 5 hours");
    needs[STATS_CLIENT_CAS].count = 2;
    look();
    expect(FINDING_WARNING, FINDING_CLIENT_CA_ENDS, "");
}

Test(findings_host, the_worst_of_a_host_is_the_first) {
    certificates[0].end = NOW + 3 * DAY;
    down = 3;
    pass(600, (struct deeds){.valid = 5, .gateway_answers = 50});
    expect(FINDING_CRITICAL, FINDING_ORIGIN_DOWN, "");
    pass(60, (struct deeds){.refused = 5, .reason = REASON_CRL_MISSING});
    expect(FINDING_CRITICAL, FINDING_CLIENTS_REFUSED, "");
    cr_assert_eq(findings.count, 3);
    cr_expect_eq(findings.items[1].what, FINDING_ORIGIN_DOWN);
    cr_expect_eq(findings.items[2].what, FINDING_CERTIFICATE_ENDS);
}

Test(findings_host, long_names_are_cut) {
    static char long_name[5000];
    memset(long_name, 'x', sizeof long_name - 1);
    terms[0] = (struct term){.name = long_name, .end = NOW - DAY};
    needs[STATS_CRLS] = (struct term_list){terms, 1};
    host.name = long_name;
    look();
    cr_assert_eq(findings.count, 1);
    cr_expect_leq(strlen(findings.items[0].text), FINDINGS_TEXT_SIZE - 1);
    cr_expect_eq(strlen(findings.items[0].host), FINDINGS_HOST_SIZE - 1);
}
