#include "stats/hosts.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static const struct term certificates[] = {{"b-ecdsa.pem", 2, false, 0}, {"b-rsa.pem", 3, false, 1}, {"a.pem", 1, false, 0}};
static const struct stats_host_facts two[] = {{.host = "b.example", .terms[STATS_CERTIFICATES] = {certificates, 2}},
                                              {.host = "a.example", .terms[STATS_CERTIFICATES] = {&certificates[2], 1}}};

Test(hosts, each_has_a_block_for_each_shard_at_zero) {
    struct stats_hosts *hosts = stats_hosts_create(3, two, 2, NULL);
    cr_assert_eq(stats_hosts_count(hosts), 2);
    cr_assert_eq(sizeof(struct stats_host) % 64, 0);
    for (size_t i = 0; i < 2; i++) {
        cr_assert_str_eq(stats_hosts_facts(hosts, i)->host, two[i].host);
        const struct stats_host_facts *facts = stats_hosts_facts(hosts, i);
        cr_assert_eq(facts->terms[STATS_CERTIFICATES].count, two[i].terms[STATS_CERTIFICATES].count);
        for (size_t j = 0; j < facts->terms[STATS_CERTIFICATES].count; j++) {
            cr_assert_str_eq(facts->terms[STATS_CERTIFICATES].items[j].name, two[i].terms[STATS_CERTIFICATES].items[j].name);
            cr_assert_eq(facts->terms[STATS_CERTIFICATES].items[j].begin, two[i].terms[STATS_CERTIFICATES].items[j].begin);
            cr_assert_eq(facts->terms[STATS_CERTIFICATES].items[j].end, two[i].terms[STATS_CERTIFICATES].items[j].end);
        }
        for (unsigned shard = 0; shard < 3; shard++) {
            struct stats_host *block = stats_hosts_at(hosts, i, shard);
            cr_assert_eq((uintptr_t)block % 64, 0);
            cr_assert_eq(stats_read(&block->requests[0][STATS_HTTP1]), 0);
            for (unsigned other = 0; other < shard; other++) {
                cr_assert_neq(block, stats_hosts_at(hosts, i, other));
            }
        }
    }
    stats_hosts_release(hosts);
    stats_hosts_release(NULL);
}

Test(hosts, texts_are_copied) {
    char name[] = "a.example", file[] = "a.pem";
    char origin[] = "127.0.0.1:1", root[] = "CN=A", issuer[] = "CN=B";
    const char *origins[] = {origin, "127.0.0.1:2"};
    struct term roots[] = {{root, 5, false, 0}, {"CN=A", 6, true, 0}};
    struct term lists[] = {{issuer, TERM_NEVER, false, 0}};
    struct term own[] = {{file, 7, false, 0}};
    const struct stats_host_facts one = {.host = name,
                                         .terms[STATS_CERTIFICATES] = {own, 1},
                                         .mode = "report",
                                         .origins = origins,
                                         .origin_count = 2,
                                         .terms[STATS_CLIENT_CAS] = {roots, 2},
                                         .terms[STATS_CRLS] = {lists, 1},
                                         .terms[STATS_ORIGIN_CAS] = {roots, 1},
                                         .terms[STATS_ORIGIN_CERTIFICATES] = {own, 1}};
    struct stats_hosts *hosts = stats_hosts_create(1, &one, 1, NULL);
    name[0] = file[0] = origin[0] = root[0] = issuer[0] = 'x';
    roots[0].end = roots[1].end = lists[0].end = 0;
    const struct stats_host_facts *facts = stats_hosts_facts(hosts, 0);
    cr_assert(facts->terms[STATS_CLIENT_CAS].count == 2 && facts->terms[STATS_CRLS].count == 1);
    cr_assert_str_eq(facts->terms[STATS_CLIENT_CAS].items[0].name, "CN=A");
    cr_assert(facts->terms[STATS_CLIENT_CAS].items[0].end == 5 && facts->terms[STATS_CLIENT_CAS].items[1].end == 6 &&
              facts->terms[STATS_CLIENT_CAS].items[1].repeats);
    cr_assert_str_eq(facts->terms[STATS_CRLS].items[0].name, "CN=B");
    cr_assert_eq(facts->terms[STATS_CRLS].items[0].end, TERM_NEVER);
    cr_assert_str_eq(stats_hosts_facts(hosts, 0)->host, "a.example");
    cr_assert_str_eq(facts->terms[STATS_CERTIFICATES].items[0].name, "a.pem");
    cr_assert_str_eq(facts->terms[STATS_ORIGIN_CAS].items[0].name, "CN=A");
    cr_assert_str_eq(facts->terms[STATS_ORIGIN_CERTIFICATES].items[0].name, "a.pem");
    cr_assert_str_eq(stats_hosts_facts(hosts, 0)->mode, "report");
    cr_assert_eq(stats_hosts_facts(hosts, 0)->origin_count, 2);
    cr_assert_str_eq(stats_hosts_facts(hosts, 0)->origins[0], "127.0.0.1:1");
    cr_assert_str_eq(stats_hosts_facts(hosts, 0)->origins[1], "127.0.0.1:2");
    stats_hosts_release(hosts);
}

/* Over many changes of order, hosts come and go; those that stay keep their blocks. */
Test(hosts, blocks_stay_with_their_names) {
    enum { NAMES = 50, ROUNDS = 200 };
    uint64_t expected[NAMES] = {0};
    bool present[NAMES] = {false};
    char names[NAMES][16];
    for (unsigned i = 0; i < NAMES; i++) {
        snprintf(names[i], sizeof names[i], "h%u.example", i * 7919 % 1000);
    }
    struct stats_hosts *hosts = NULL;
    for (unsigned round = 0; round < ROUNDS; round++) {
        size_t count = 0;
        struct stats_host_facts list[NAMES];
        unsigned which[NAMES];
        for (unsigned i = 0; i < NAMES; i++) {
            unsigned name = (i * 17 + round) % NAMES;
            bool stays = (name + round) % 5 != 0;
            if (stays) {
                which[count] = name;
                list[count++] =
                    (struct stats_host_facts){.host = names[name], .terms[STATS_CERTIFICATES] = {certificates, 1}};
            }
            expected[name] = stays && present[name] ? expected[name] : 0;
            present[name] = stays;
        }
        struct stats_hosts *next = stats_hosts_create(2, list, count, hosts);
        stats_hosts_release(hosts);
        hosts = next;
        for (size_t i = 0; i < count; i++) {
            cr_assert_eq(stats_read(&stats_hosts_at(hosts, i, 1)->requests[3][STATS_HTTP1]), expected[which[i]], "round %u",
                         round);
            stats_add(&stats_hosts_at(hosts, i, 1)->requests[3][STATS_HTTP1], 1);
            expected[which[i]]++;
        }
    }
    stats_hosts_release(hosts);
}

Test(hosts, an_older_set_goes_on_counting_beside_the_new_one) {
    struct stats_hosts *before = stats_hosts_create(1, two, 2, NULL);
    struct stats_hosts *after = stats_hosts_create(1, &two[1], 1, before);
    stats_add(&stats_hosts_at(before, 1, 0)->requests[0][STATS_HTTP1], 4);
    cr_assert_eq(stats_read(&stats_hosts_at(after, 0, 0)->requests[0][STATS_HTTP1]), 4);
    stats_add(&stats_hosts_at(before, 0, 0)->requests[0][STATS_HTTP1], 1); /* gone from the new one, still counted */
    stats_hosts_release(stats_hosts_retain(after));
    stats_hosts_release(before);
    cr_assert_eq(stats_read(&stats_hosts_at(after, 0, 0)->requests[0][STATS_HTTP1]), 4);
    stats_hosts_release(after);
}

Test(hosts, origins_are_down_that_any_shard_could_not_connect_to) {
    struct stats_hosts *hosts = stats_hosts_create(3, two, 2, NULL);
    cr_assert_eq(stats_hosts_origins_down(hosts, 1).words[0], 0);
    stats_set(&stats_hosts_at(hosts, 1, 0)->origins_down[0], 4);
    stats_set(&stats_hosts_at(hosts, 1, 2)->origins_down[0], 1);
    cr_assert_eq(stats_hosts_origins_down(hosts, 1).words[0], 5);
    cr_assert_eq(stats_hosts_origins_down(hosts, 0).words[0], 0);
    stats_hosts_release(hosts);
}

Test(hosts, counts_are_those_of_all_shards_by_what_they_tell) {
    struct stats_hosts *hosts = stats_hosts_create(2, two, 2, NULL);
    for (unsigned shard = 0; shard < 2; shard++) {
        struct stats_host *block = stats_hosts_at(hosts, 1, shard);
        stats_add(&block->client_certs[REASON_OK], 1);
        stats_add(&block->client_certs[REASON_EXPIRED], 2);
        stats_add(&block->denied[REASON_EXPIRED], 3);
        stats_add(&block->would_block[REASON_EXPIRED], 4);
        const unsigned codes[] = {200, 226, 301, 404, 499, 500, 502, 503, 504, 100, 999};
        for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
            stats_add(&block->requests[stats_code_slot(codes[i])][STATS_HTTP1], 7);
            stats_add(&block->requests[stats_code_slot(codes[i])][STATS_HTTP2], 3);
        }
        stats_add(&block->origins_down[0], shard + 1);
    }
    uint64_t counts[RECENT_COUNTS];
    stats_hosts_counts(hosts, 1, counts);
    cr_expect_eq(counts[RECENT_VERDICTS + REASON_OK], 2);
    cr_expect_eq(counts[RECENT_VERDICTS + REASON_EXPIRED], 4);
    cr_expect_eq(counts[RECENT_REFUSED + REASON_EXPIRED], 14);
    cr_expect_eq(counts[RECENT_2XX], 40);
    cr_expect_eq(stats_hosts_requests(hosts, 1, stats_code_slot(404)), 20);
    cr_expect_eq(counts[RECENT_3XX], 20);
    cr_expect_eq(counts[RECENT_4XX], 40);
    cr_expect_eq(counts[RECENT_ERRORS], 40);
    cr_expect_eq(counts[RECENT_GATEWAY], 40);
    cr_expect_eq(counts[RECENT_OTHER], 40);
    cr_expect_eq(recent_requests(counts), 220);
    cr_expect_eq(stats_hosts_origins_down(hosts, 1).words[0], 3);
    stats_hosts_counts(hosts, 0, counts);
    cr_expect_eq(recent_requests(counts), 0);
    stats_hosts_release(hosts);
}

Test(hosts, what_a_host_did_of_late_stays_with_its_name) {
    struct stats_hosts *before = stats_hosts_create(1, two, 2, NULL);
    struct stats_hosts *after = stats_hosts_create(1, &two[1], 1, before);
    cr_expect_eq(stats_hosts_recent(before, 1), stats_hosts_recent(after, 0));
    cr_expect_neq(stats_hosts_recent(before, 0), stats_hosts_recent(before, 1));
    stats_hosts_release(before);
    stats_hosts_release(after);
}

Test(hosts, none_is_a_set_too) {
    struct stats_hosts *none = stats_hosts_create(2, NULL, 0, NULL);
    cr_assert_eq(stats_hosts_count(none), 0);
    struct stats_hosts *some = stats_hosts_create(2, two, 2, none);
    cr_assert_eq(stats_hosts_count(some), 2);
    stats_hosts_release(none);
    stats_hosts_release(some);
}

Test(hosts, past_the_end_it_aborts, .signal = SIGABRT) {
    stats_hosts_at(stats_hosts_create(1, two, 2, NULL), 2, 0);
}

static const struct stats_host_facts probed[] = {
    {.host = "b.example", .origins = (const char *const[]){"127.0.0.1:1", "127.0.0.1:2"}, .origin_count = 2},
    {.host = "a.example",
     .origins = (const char *const[]){"127.0.0.1:1", "127.0.0.1:2"},
     .origin_count = 2,
     .probed = true,
     .required = true}};

Test(hosts, the_control_thread_has_a_block_of_its_own) {
    struct stats_hosts *hosts = stats_hosts_create(2, probed, 2, NULL);
    struct stats_host *own = stats_hosts_at_control(hosts, 1);
    cr_expect_eq((uintptr_t)own % 64, 0);
    cr_expect(own != stats_hosts_at(hosts, 1, 0) && own != stats_hosts_at(hosts, 1, 1));
    stats_add(&own->probes[STATS_PROBE_STATUS], 3);
    stats_add(&stats_hosts_at(hosts, 1, 1)->probes[STATS_PROBE_STATUS], 1);
    cr_expect_eq(stats_hosts_sum(hosts, 1, offsetof(struct stats_host, probes[STATS_PROBE_STATUS])), 4);
    cr_expect_eq(stats_hosts_sum(hosts, 0, offsetof(struct stats_host, probes[STATS_PROBE_STATUS])), 0);
    struct stats_hosts *next = stats_hosts_create(2, probed, 2, hosts);
    cr_expect_eq(stats_hosts_at_control(next, 1), own, "it stays with the name");
    stats_hosts_release(hosts);
    stats_hosts_release(next);
}

Test(hosts, origins_are_down_by_their_probes_where_there_are_any) {
    struct stats_hosts *hosts = stats_hosts_create(2, probed, 2, NULL);
    for (size_t i = 0; i < 2; i++) {
        stats_set(&stats_hosts_at(hosts, i, 1)->origins_down[0], 1);
        stats_set(&stats_hosts_at_control(hosts, i)->origins_down[0], 2);
    }
    cr_expect_eq(stats_hosts_origins_down(hosts, 0).words[0], 1);
    cr_expect_eq(stats_hosts_origins_down(hosts, 1).words[0], 2);
    cr_expect_null(stats_hosts_why(hosts, 0));
    strcpy(stats_hosts_why(hosts, 1)[1], "status 503");
    cr_expect_str_eq(stats_hosts_why(hosts, 1)[0], "");
    stats_hosts_release(hosts);
}

Test(hosts, a_required_host_is_missed_when_all_its_origins_are_down) {
    struct stats_hosts *hosts = stats_hosts_create(1, probed, 2, NULL);
    for (size_t i = 0; i < 2; i++) {
        stats_set(&stats_hosts_at(hosts, i, 0)->origins_down[0], 3);
        cr_expect_not(stats_hosts_is_missed(hosts, i));
    }
    stats_set(&stats_hosts_at_control(hosts, 1)->origins_down[0], 2);
    cr_expect_not(stats_hosts_is_missed(hosts, 1));
    stats_set(&stats_hosts_at_control(hosts, 1)->origins_down[0], 3);
    cr_expect(stats_hosts_is_missed(hosts, 1));
    cr_expect_not(stats_hosts_is_missed(hosts, 0), "it is not required");
    stats_hosts_release(hosts);
}
