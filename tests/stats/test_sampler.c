#include "stats/hosts.h"
#include "stats/sampler.h"

#include <criterion/criterion.h>
#include <math.h>

static const uint64_t MS = 1000 * 1000;

static struct stats stats;
static struct sampler sampler;
static uint64_t now_ms;

static void set_hosts(const char *name) {
    const struct stats_host_facts facts = {.host = name,
                                           .terms[STATS_CERTIFICATES] = {&(const struct term){"x.pem", 0, false, 0}, 1}};
    struct stats_hosts *hosts = stats_hosts_create(2, &facts, 1, stats.hosts);
    cr_assert_not_null(hosts);
    stats_set_hosts(&stats, hosts);
    stats_hosts_release(hosts);
}

static void begin(void) {
    now_ms = 5000;
    cr_assert_eq(stats_create(&stats, 2), 0);
    set_hosts("a.example");
    cr_assert_eq(sampler_create(&sampler, &stats, now_ms, 100), 0);
}

static void end(void) {
    sampler_destroy(&sampler);
    stats_destroy(&stats);
}

TestSuite(sampler, .init = begin, .fini = end);

static void tick(uint64_t after_ms) {
    now_ms += after_ms;
    sampler_tick(&sampler, now_ms, (int64_t)(now_ms / 1000) + 95);
}

static float newest(enum sampler_series series) {
    return sampler_value(&sampler, series, sampler_count(&sampler) - 1);
}

static struct stats_host *host(unsigned shard) {
    return stats_hosts_at(stats.hosts, 0, shard);
}

Test(sampler, takes_one_a_second_and_says_how_long_until_the_next) {
    cr_expect_eq(sampler_wait_ms(&sampler, now_ms), 1000);
    tick(999);
    cr_expect_eq(sampler_count(&sampler), 0);
    cr_expect_eq(sampler_wait_ms(&sampler, now_ms), 1);
    tick(1);
    cr_expect_eq(sampler_count(&sampler), 1);
    cr_expect_eq(sampler.sampled_at_s, 101);
    cr_expect_eq(sampler_wait_ms(&sampler, now_ms), 1000);
    cr_expect_eq(sampler_wait_ms(&sampler, now_ms + 5000), 0);
}

Test(sampler, what_was_counted_becomes_a_rate_of_all_shards_and_hosts) {
    for (unsigned shard = 0; shard < 2; shard++) {
        struct stats_shard *block = &stats.shards[shard];
        stats_add(&block->handshakes[STATS_OK][STATS_FULL][STATS_TLS13][KEY_GROUP_X25519], 10);
        stats_add(&block->handshakes[STATS_OK][STATS_RESUMED][STATS_TLS12][KEY_GROUP_X25519], 20);
        stats_add(&block->handshakes[STATS_FAILED][STATS_FULL][STATS_TLS_NONE][KEY_GROUP_NONE], 3);
        stats_add(&block->handshakes[STATS_TIMEOUT][STATS_FULL][STATS_TLS_NONE][KEY_GROUP_NONE], 4);
        stats_add(&block->rejected[STATS_AT_HELLO][STATS_REJECT_NOT_TLS], 30);
        stats_add(&block->rejected[STATS_AT_HELLO][STATS_REJECT_CLOSED], 1);
        stats_add(&block->handshake_work_ns[STATS_KNOWN], 250 * MS);
        stats_add(&block->handshake_work_ns[STATS_SUSPECT], 50 * MS);
        stats_add(&block->connections, 5);
        stats_set(&block->received_bytes, 1000);
        stats_set(&block->sent_bytes, 5000);
        stats_add(&host(shard)->requests[0][STATS_HTTP1], 7);
        stats_add(&host(shard)->requests[stats_code_slot(200)][STATS_HTTP1], 3);
        stats_add(&host(shard)->requests[stats_code_slot(304)][STATS_HTTP1], 2);
        stats_add(&host(shard)->requests[stats_code_slot(403)][STATS_HTTP1], 1);
        stats_add(&host(shard)->requests[stats_code_slot(502)][STATS_HTTP1], 4);
        stats_add(&host(shard)->requests[stats_code_slot(500)][STATS_HTTP1], 1);
        stats_add(&host(shard)->client_certs[REASON_OK], 8);
        stats_add(&host(shard)->client_certs[REASON_ABSENT], 2);
        stats_add(&host(shard)->client_certs[REASON_EXPIRED], 1);
    }
    stats_add(&stats.shards[1].admission_state, 2);
    tick(2000);
    cr_expect_eq(newest(SAMPLER_HANDSHAKES_FULL), 10);
    cr_expect_eq(newest(SAMPLER_HANDSHAKES_RESUMED), 20);
    cr_expect_eq(newest(SAMPLER_HANDSHAKES_FAILED), 7);
    cr_expect_eq(newest((enum sampler_series)(SAMPLER_REJECTED + STATS_AT_HELLO)), 31);
    cr_expect_eq(newest((enum sampler_series)(SAMPLER_REJECTED + STATS_AT_ACCEPT)), 0);
    cr_expect_float_eq(newest(SAMPLER_WORK_KNOWN), 0.25F, 1e-6);
    cr_expect_float_eq(newest(SAMPLER_WORK_OTHERS), 0.05F, 1e-6);
    cr_expect_eq(newest(SAMPLER_RECEIVED_BYTES), 1000);
    cr_expect_eq(newest(SAMPLER_SENT_BYTES), 5000);
    cr_expect_eq(newest(SAMPLER_REQUESTS), 18);
    cr_expect_eq(newest(SAMPLER_REQUESTS_2XX), 3);
    cr_expect_eq(newest(SAMPLER_REQUESTS_3XX), 2);
    cr_expect_eq(newest(SAMPLER_REQUESTS_4XX), 1);
    cr_expect_eq(newest(SAMPLER_REQUESTS_5XX), 5);
    cr_expect_eq(newest(SAMPLER_CERTS_VALID), 8);
    cr_expect_eq(newest(SAMPLER_CERTS_NONE), 2);
    cr_expect_eq(newest(SAMPLER_CERTS_INVALID), 1);
    cr_expect_eq(newest(SAMPLER_CONNECTIONS), 10, "a gauge is no rate");
    cr_expect_eq(newest(SAMPLER_ADMISSION_STATE), 2);
    tick(1000);
    cr_expect_eq(newest(SAMPLER_HANDSHAKES_FULL), 0);
    cr_expect_eq(newest(SAMPLER_CONNECTIONS), 10);
}

Test(sampler, history_ends_after_five_minutes_and_is_in_order) {
    for (unsigned i = 1; i <= 400; i++) {
        stats_add(&host(0)->requests[0][STATS_HTTP1], i);
        tick(1000);
    }
    cr_assert_eq(sampler_count(&sampler), SAMPLER_HISTORY);
    for (uint32_t at = 0; at < SAMPLER_HISTORY; at++) {
        cr_assert_eq(sampler_value(&sampler, SAMPLER_REQUESTS, at), 101 + at);
    }
}

Test(sampler, latencies_of_the_last_ten_seconds_and_since_the_start) {
    latency_record(&stats.shards[0].latencies, STATS_REQUEST, 1 * MS);
    latency_record(&stats.shards[1].latencies, STATS_REQUEST, 3 * MS);
    tick(1000);
    cr_expect_float_eq(newest(SAMPLER_REQUEST_P50), 0.001F, 1e-5);
    cr_expect_float_eq(newest(SAMPLER_REQUEST_P99), 0.003F, 1e-5);
    cr_expect(isnan(newest(SAMPLER_HANDSHAKE_FULL_P50)));
    for (unsigned i = 0; i < 9; i++) {
        cr_expect_eq(sampler_latest(&sampler, STATS_REQUEST)->total_count, 2);
        tick(1000);
    }
    cr_expect(isnan(newest(SAMPLER_REQUEST_P50)));
    cr_expect_eq(sampler_latest(&sampler, STATS_REQUEST)->total_count, 2);
    tick(1000);
    cr_expect_eq(sampler_latest(&sampler, STATS_REQUEST)->total_count, 0);
    cr_expect_eq(sampler_since_start(&sampler, STATS_REQUEST)->total_count, 2);
    cr_expect_eq(hdr_max(sampler_since_start(&sampler, STATS_REQUEST)) / 10, 300);
}

Test(sampler, a_host_that_goes_takes_its_counters_with_it_and_nothing_is_negative) {
    stats_add(&host(0)->requests[0][STATS_HTTP1], 1000);
    tick(1000);
    set_hosts("b.example");
    stats_add(&host(0)->requests[0][STATS_HTTP1], 5);
    tick(1000);
    cr_expect_eq(newest(SAMPLER_REQUESTS), 0);
    stats_add(&host(0)->requests[0][STATS_HTTP1], 6);
    tick(1000);
    cr_expect_eq(newest(SAMPLER_REQUESTS), 6);
}

static bool is_found(enum finding_what what) {
    bool found = false;
    for (size_t i = 0; i < sampler.findings.count; i++) {
        found = found || sampler.findings.items[i].what == what;
    }
    return found;
}

Test(sampler, what_is_wrong_is_found_and_goes_again) {
    tick(1000);
    cr_expect_eq(sampler.findings.count, 1, "that the certificate has ended, of which more elsewhere");
    stats_add(&stats.shards[1].admission_state, 2);
    tick(1000);
    tick(1000);
    cr_expect_not(is_found(FINDING_FLOODED));
    tick(1000);
    cr_expect(is_found(FINDING_FLOODED));
    stats_set(&stats.shards[1].admission_state, 1);
    for (unsigned i = 0; i < 10; i++) {
        cr_expect(is_found(FINDING_FLOODED), "%u seconds later", i);
        tick(1000);
    }
    cr_expect_not(is_found(FINDING_FLOODED));
    cr_expect(is_found(FINDING_LOADED));
    stats_set(&stats.shards[1].admission_state, 0);
    for (unsigned i = 0; i < 10; i++) {
        tick(1000);
    }
    cr_expect_not(is_found(FINDING_LOADED));
}

Test(sampler, refused_for_want_of_places_is_told_for_a_minute) {
    tick(1000);
    stats_add(&stats.shards[0].rejected[STATS_AT_ACCEPT][STATS_REJECT_LIMIT], 10);
    for (unsigned i = 0; i < 60; i++) {
        tick(1000);
        cr_assert(is_found(FINDING_PLACES_TAKEN), "%u", i);
    }
    tick(1000);
    cr_expect_not(is_found(FINDING_PLACES_TAKEN));
}

Test(sampler, a_reload_that_failed_is_told_until_the_next_one) {
    stats_note_reload(&stats, STATS_RELOAD_FAILED, 7);
    tick(1000);
    cr_expect(is_found(FINDING_RELOAD_FAILED));
    stats_note_reload(&stats, STATS_RELOAD_OK, 8);
    tick(1000);
    cr_expect_not(is_found(FINDING_RELOAD_FAILED));
}

Test(sampler, a_host_is_looked_at) {
    stats_add(&host(0)->origins_down[0], 1);
    tick(1000);
    stats_add(&host(1)->client_certs[REASON_CRL_STALE], 10);
    stats_add(&host(1)->denied[REASON_CRL_STALE], 10);
    tick(1000);
    cr_expect_not(is_found(FINDING_CLIENTS_REFUSED), "it has no mode");
    cr_expect_eq(recent_down(stats_hosts_recent(stats.hosts, 0)).words[0], 0);
    tick(1000);
    cr_expect_eq(recent_down(stats_hosts_recent(stats.hosts, 0)).words[0], 1);
}

Test(sampler, each_series_has_a_name_of_its_own) {
    for (unsigned i = 0; i < SAMPLER_SERIES; i++) {
        for (unsigned j = 0; j < i; j++) {
            cr_expect_str_neq(sampler_series_name((enum sampler_series)i), sampler_series_name((enum sampler_series)j));
        }
    }
}
