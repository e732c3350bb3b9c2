#include "exposition.h"
#include "stats/stats.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const origins[] = {"127.0.0.1:9000", "[::1]:9000"};
static const struct term roots[] = {{"CN=Old \"A\",O=Shop", -7, false, 0},
                                    {"CN=Devices\\, Inc.", 1800000000, false, 0},
                                    {"CN=Devices\\, Inc.", 1900000000, true, 0}};
static const struct term lists[] = {{"CN=Issuer", 1790000000, false, 0}, {"CN=Lasting", TERM_NEVER, false, 0}};
static const struct term own[] = {{"/etc/sallyport/server.pem", 1795573560, false, 0},
                                  {"/etc/sallyport/rsa.pem", 1795573561, false, 0},
                                  {"odd \"name\"\\\n\xff.pem", -1, false, 0}};
static const struct stats_host_facts certificates[] = {
    {.host = "api.example.com",
     .terms[STATS_CERTIFICATES] = {own, 2},
     .origins = origins,
     .origin_count = 2,
     .terms[STATS_CLIENT_CAS] = {roots, 3},
     .terms[STATS_CRLS] = {lists, 2}},
    {.host = "*.example.org",
     .terms[STATS_CERTIFICATES] = {&own[2], 1},
     .terms[STATS_ORIGIN_CAS] = {roots, 3},
     .terms[STATS_ORIGIN_CERTIFICATES] = {own, 1}},
};
static struct stats stats;
static char *page;
static size_t page_size;
static struct exposition exposition;

static void set_hosts(const struct stats_host_facts *list, size_t count) {
    struct stats_hosts *hosts = stats_hosts_create(stats.shard_count, list, count, stats.hosts);
    cr_assert_not_null(hosts);
    stats_set_hosts(&stats, hosts);
    stats_hosts_release(hosts);
}

static struct stats_host *host_at(size_t host, unsigned shard) {
    return stats_hosts_at(stats.hosts, host, shard);
}

static void begin(unsigned shards) {
    cr_assert_eq(stats_create(&stats, shards), 0);
    set_hosts(certificates, 2);
    stats.version = "0.1.0";
    stats.wolfssl = "5.9.2";
    stats.crypto = "accelerated";
}

static void scrape(void) {
    page = stats_render_prometheus(&stats, &page_size);
    cr_assert_not_null(page);
    exposition_read(&exposition, page, page_size);
}

static void scrape_end(void) {
    exposition_free(&exposition);
    free(page);
}

static void end(void) {
    stats_destroy(&stats);
}

static bool page_has(const char *text) {
    return memmem(page, page_size, text, strlen(text)) != NULL;
}

Test(prometheus, metrics_have_the_contracts_names_types_and_labels) {
    static const struct {
        const char *type, *series; /* one series of each, with its labels */
    } expected[] = {
        {"sallyport_connections_total counter", "sallyport_connections_total{shard=\"0\"}"},
        {"sallyport_connections gauge", "sallyport_connections{shard=\"1\"}"},
        {"sallyport_handshakes_total counter",
         "sallyport_handshakes_total{result=\"failed\",kind=\"full\",version=\"TLSv1.3\",group=\"x25519\"}"},
        {"sallyport_handshake_seconds histogram", "sallyport_handshake_seconds_count{kind=\"resumed\"}"},
        {"sallyport_handshake_work_seconds_total counter", "sallyport_handshake_work_seconds_total{class=\"suspect\"}"},
        {"sallyport_cert_cache_hits_total counter", "sallyport_cert_cache_hits_total"},
        {"sallyport_cert_cache_misses_total counter", "sallyport_cert_cache_misses_total"},
        {"sallyport_cert_cache_evictions_total counter", "sallyport_cert_cache_evictions_total"},
        {"sallyport_cert_cache_entries gauge", "sallyport_cert_cache_entries"},
        {"sallyport_cert_verify_seconds histogram", "sallyport_cert_verify_seconds_count{path=\"full\"}"},
        {"sallyport_config_reloads_total counter", "sallyport_config_reloads_total{result=\"failed\"}"},
        {"sallyport_over_budget_total counter", "sallyport_over_budget_total{bound=\"certificate_rate\"}"},
        {"sallyport_rejected_total counter", "sallyport_rejected_total{stage=\"hello\",reason=\"unknown_host\"}"},
        {"sallyport_client_certs_total counter",
         "sallyport_client_certs_total{host=\"api.example.com\",status=\"invalid\",reason=\"unknown_issuer\"}"},
        {"sallyport_requests_total counter",
         "sallyport_requests_total{host=\"*.example.org\",code=\"403\",protocol=\"http1\"}"},
        {"sallyport_streams_total counter", "sallyport_streams_total{host=\"*.example.org\"}"},
        {"sallyport_request_seconds histogram", "sallyport_request_seconds_sum{host=\"*.example.org\"}"},
        {"sallyport_origin_seconds histogram", "sallyport_origin_seconds_bucket{host=\"api.example.com\",le=\"+Inf\"}"},
        {"sallyport_origin_connections_total counter",
         "sallyport_origin_connections_total{host=\"api.example.com\",event=\"connect_failed\"}"},
        {"sallyport_origin_requests_total counter",
         "sallyport_origin_requests_total{host=\"*.example.org\",result=\"bad_response\"}"},
        {"sallyport_config_last_reload_timestamp_seconds gauge", "sallyport_config_last_reload_timestamp_seconds"},
        {"sallyport_connections_limit gauge", "sallyport_connections_limit"},
        {"sallyport_received_bytes_total counter", "sallyport_received_bytes_total"},
        {"sallyport_sent_bytes_total counter", "sallyport_sent_bytes_total"},
    };
    begin(2);
    scrape();
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        char line[128];
        snprintf(line, sizeof line, "# TYPE %s\n", expected[i].type);
        cr_assert(page_has(line), "%s", line);
        cr_assert_eq(exposition_value(&exposition, expected[i].series), 0);
    }
    cr_assert(page_has("# TYPE sallyport_certificate_not_after_seconds gauge\n"));
    cr_assert(page_has("# TYPE sallyport_build_info gauge\n"));
    cr_assert_eq(
        exposition_value(&exposition, "sallyport_build_info{version=\"0.1.0\",wolfssl=\"5.9.2\",crypto=\"accelerated\"}"),
        1);
    scrape_end();
    end();
}

Test(prometheus, every_label_value_is_there_from_the_start_at_0) {
    begin(3);
    scrape();
    cr_assert_eq(exposition_count(&exposition, "sallyport_connections{"), 3);
    cr_assert_eq(exposition_count(&exposition, "sallyport_connections_total{"), 3);
    cr_assert_eq(exposition_count(&exposition, "sallyport_handshakes_total{"),
                 STATS_RESULT_COUNT * STATS_KIND_COUNT * STATS_VERSION_COUNT * KEY_GROUP_COUNT);
    cr_assert_eq(exposition_count(&exposition, "sallyport_handshake_seconds_bucket{"), STATS_KIND_COUNT * STATS_BUCKETS);
    cr_assert_eq(exposition_count(&exposition, "sallyport_client_certs_total{"), 2 * REASON_COUNT);
    cr_assert_eq(exposition_count(&exposition, "sallyport_requests_total{"), 2 * STATS_CODES * STATS_PROTOCOL_COUNT);
    cr_assert_eq(exposition_count(&exposition, "sallyport_request_seconds_bucket{"), 2 * STATS_BUCKETS);
    cr_assert_eq(exposition_count(&exposition, "sallyport_origin_seconds_count{"), 2);
    size_t pairs = 0;
    for (unsigned stage = 0; stage < STATS_STAGE_COUNT; stage++) {
        for (unsigned rejection = 0; rejection < STATS_REJECTION_COUNT; rejection++) {
            pairs += stats_rejection_occurs(stage, rejection);
        }
    }
    cr_assert_eq(exposition_count(&exposition, "sallyport_rejected_total{"), pairs);
    for (size_t i = 0; i < exposition.count; i++) {
        static const char *const never_0[] = {"sallyport_build_info",
                                              "sallyport_certificate",
                                              "sallyport_client_ca_",
                                              "sallyport_crl_",
                                              "sallyport_origin_ca_",
                                              "sallyport_origin_certificate_",
                                              "sallyport_origin_up",
                                              "sallyport_config_last_reload_succ",
                                              "process_"};
        bool counts = true;
        for (size_t j = 0; j < sizeof never_0 / sizeof never_0[0]; j++) {
            counts = counts && strncmp(exposition.samples[i].series, never_0[j], strlen(never_0[j])) != 0;
        }
        cr_assert(!counts || exposition.samples[i].value == 0, "%s", exposition.samples[i].series);
    }
    scrape_end();
    end();
}

Test(prometheus, shards_are_added_up_but_where_shard_is_a_label) {
    begin(3);
    for (unsigned i = 0; i < 3; i++) {
        struct stats_shard *shard = &stats.shards[i];
        stats_add(&shard->connections_total, 10 + i);
        stats_add(&shard->connections, i);
        stats_add(&shard->handshakes[STATS_OK][STATS_FULL][STATS_TLS13][KEY_GROUP_X25519], 100 + i);
        stats_add(&shard->rejected[STATS_AT_CERTIFICATE][STATS_REJECT_DENIED], i);
        stats_add(&host_at(1, i)->client_certs[REASON_OK], 7);
        stats_add(&host_at(0, i)->requests[stats_code_slot(200)][STATS_HTTP1], 5);
        stats_add(&host_at(0, i)->requests[stats_code_slot(418)][STATS_HTTP1], 1);
        stats_add(&host_at(0, i)->requests[stats_code_slot(200)][STATS_HTTP2], 4);
        stats_add(&host_at(0, i)->streams, 6);
    }
    scrape();
    cr_assert_eq(exposition_value(&exposition, "sallyport_connections_total{shard=\"2\"}"), 12);
    cr_assert_eq(exposition_value(&exposition, "sallyport_connections{shard=\"1\"}"), 1);
    cr_assert_eq(
        exposition_value(&exposition,
                         "sallyport_handshakes_total{result=\"ok\",kind=\"full\",version=\"TLSv1.3\",group=\"x25519\"}"),
        303);
    cr_assert_eq(exposition_value(&exposition, "sallyport_rejected_total{stage=\"certificate\",reason=\"denied\"}"), 3);
    cr_assert_eq(
        exposition_value(&exposition, "sallyport_client_certs_total{host=\"*.example.org\",status=\"valid\",reason=\"ok\"}"),
        21);
    cr_assert_eq(exposition_value(&exposition,
                                  "sallyport_client_certs_total{host=\"api.example.com\",status=\"valid\",reason=\"ok\"}"),
                 0);
    cr_assert_eq(
        exposition_value(&exposition, "sallyport_requests_total{host=\"api.example.com\",code=\"200\",protocol=\"http1\"}"),
        15);
    cr_assert_eq(
        exposition_value(&exposition, "sallyport_requests_total{host=\"api.example.com\",code=\"4xx\",protocol=\"http1\"}"),
        3);
    cr_assert_eq(
        exposition_value(&exposition, "sallyport_requests_total{host=\"api.example.com\",code=\"200\",protocol=\"http2\"}"),
        12);
    cr_assert_eq(exposition_value(&exposition, "sallyport_streams_total{host=\"api.example.com\"}"), 18);
    scrape_end();
    end();
}

Test(prometheus, histograms_are_cumulative_and_in_seconds) {
    begin(2);
    stats_record(&host_at(0, 0)->request_seconds, 10000);  /* 10 us: at the first bound */
    stats_record(&host_at(0, 1)->request_seconds, 110000); /* 110 us */
    stats_record(&host_at(0, 1)->request_seconds, 110000);
    stats_record(&host_at(0, 0)->request_seconds, 61000000000u); /* 61 s: past the last bound */
    stats_record(&stats.shards[1].seconds[STATS_HANDSHAKE_RESUMED], 2000000);
    scrape();
    static const struct {
        const char *bound;
        double count;
    } buckets[] = {{"0.00001", 1}, {"0.000025", 1}, {"0.0001", 1}, {"0.00015", 3}, {"2.5", 3}, {"60", 3}, {"+Inf", 4}};
    for (size_t i = 0; i < sizeof buckets / sizeof buckets[0]; i++) {
        char series[128];
        snprintf(series, sizeof series, "sallyport_request_seconds_bucket{host=\"api.example.com\",le=\"%s\"}",
                 buckets[i].bound);
        cr_assert_eq(exposition_value(&exposition, series), buckets[i].count, "%s", series);
    }
    cr_assert_eq(exposition_value(&exposition, "sallyport_request_seconds_count{host=\"api.example.com\"}"), 4);
    cr_assert(page_has("sallyport_request_seconds_sum{host=\"api.example.com\"} 61.00023\n"));
    cr_assert(page_has("sallyport_handshake_seconds_sum{kind=\"resumed\"} 0.002\n"));
    cr_assert_eq(exposition_value(&exposition, "sallyport_handshake_seconds_count{kind=\"full\"}"), 0);
    cr_assert_eq(exposition_value(&exposition, "sallyport_request_seconds_count{host=\"*.example.org\"}"), 0);
    cr_assert_eq(exposition_value(&exposition, "sallyport_origin_seconds_count{host=\"api.example.com\"}"), 0);
    scrape_end();
    end();
}

static void count_cache(void *owner, struct stats_cache *counts) {
    *counts = *(const struct stats_cache *)owner;
}

Test(prometheus, verdicts_and_reloads_are_counted) {
    struct stats_cache counts = {11, 12, 13, 14};
    begin(2);
    stats.read_cache = count_cache;
    stats.cache_owner = &counts;
    stats_record(&stats.shards[0].seconds[STATS_VERIFY_CACHED], 5000);
    stats_record(&stats.shards[1].seconds[STATS_VERIFY_CACHED], 5000);
    stats_record(&stats.shards[1].seconds[STATS_VERIFY_FULL], 200000);
    stats_add(&stats.reloads[STATS_RELOAD_OK], 3);
    stats_add(&stats.reloads[STATS_RELOAD_FAILED], 2);
    scrape();
    cr_assert_eq(exposition_value(&exposition, "sallyport_cert_cache_hits_total"), 11);
    cr_assert_eq(exposition_value(&exposition, "sallyport_cert_cache_misses_total"), 12);
    cr_assert_eq(exposition_value(&exposition, "sallyport_cert_cache_evictions_total"), 13);
    cr_assert_eq(exposition_value(&exposition, "sallyport_cert_cache_entries"), 14);
    cr_assert_eq(exposition_value(&exposition, "sallyport_cert_verify_seconds_count{path=\"cached\"}"), 2);
    cr_assert_eq(exposition_value(&exposition, "sallyport_cert_verify_seconds_bucket{path=\"cached\",le=\"0.00001\"}"), 2);
    cr_assert_eq(exposition_value(&exposition, "sallyport_cert_verify_seconds_bucket{path=\"full\",le=\"0.00015\"}"), 0);
    cr_assert_eq(exposition_value(&exposition, "sallyport_cert_verify_seconds_bucket{path=\"full\",le=\"0.00025\"}"), 1);
    cr_assert_eq(exposition_value(&exposition, "sallyport_config_reloads_total{result=\"ok\"}"), 3);
    cr_assert_eq(exposition_value(&exposition, "sallyport_config_reloads_total{result=\"failed\"}"), 2);
    scrape_end();
    end();
}

Test(prometheus, a_host_that_stays_goes_on_counting_and_one_that_goes_is_not_shown) {
    static const struct term renewed = {"renewed.pem", 2, false, 0};
    static const struct stats_host_facts after[] = {
        {.host = "new.example.com", .terms[STATS_CERTIFICATES] = {own, 1}},
        {.host = "api.example.com", .terms[STATS_CERTIFICATES] = {&renewed, 1}},
    };
    begin(2);
    stats_add(&host_at(0, 1)->requests[stats_code_slot(200)][STATS_HTTP1], 5);
    stats_add(&host_at(1, 1)->requests[stats_code_slot(200)][STATS_HTTP1], 7);
    set_hosts(after, 2);
    stats_add(&host_at(1, 0)->requests[stats_code_slot(200)][STATS_HTTP1], 1);
    scrape();
    cr_assert_eq(
        exposition_value(&exposition, "sallyport_requests_total{host=\"api.example.com\",code=\"200\",protocol=\"http1\"}"),
        6);
    cr_assert_eq(
        exposition_value(&exposition, "sallyport_requests_total{host=\"new.example.com\",code=\"200\",protocol=\"http1\"}"),
        0);
    cr_assert_eq(exposition_count(&exposition, "sallyport_requests_total{host=\"*.example.org\""), 0);
    cr_assert_eq(exposition_value(&exposition,
                                  "sallyport_certificate_not_after_seconds{host=\"api.example.com\",file=\"renewed.pem\"}"),
                 2);
    scrape_end();
    end();
}

Test(prometheus, status_follows_from_the_reason) {
    begin(1);
    scrape();
    for (unsigned reason = 0; reason < REASON_COUNT; reason++) {
        char series[160];
        snprintf(series, sizeof series, "sallyport_client_certs_total{host=\"api.example.com\",status=\"%s\",reason=\"%s\"}",
                 reason == REASON_OK       ? "valid"
                 : reason == REASON_ABSENT ? "none"
                                           : "invalid",
                 reason_name(reason));
        cr_assert_eq(exposition_value(&exposition, series), 0);
    }
    scrape_end();
    end();
}

Test(prometheus, what_was_counted_where_it_cannot_occur_is_not_hidden) {
    begin(1);
    stats_add(&stats.shards[0].rejected[STATS_AT_ADMISSION][STATS_REJECT_NOT_TLS], 2);
    scrape();
    cr_assert_eq(exposition_value(&exposition, "sallyport_rejected_total{stage=\"admission\",reason=\"not_tls\"}"), 2);
    scrape_end();
    end();
}

Test(prometheus, certificates_are_listed_with_odd_file_names_escaped) {
    begin(1);
    scrape();
    cr_assert_eq(exposition_value(&exposition, "sallyport_certificate_not_after_seconds{host=\"api.example.com\","
                                               "file=\"/etc/sallyport/server.pem\"}"),
                 1795573560);
    cr_assert_eq(exposition_value(&exposition, "sallyport_certificate_not_after_seconds{host=\"api.example.com\","
                                               "file=\"/etc/sallyport/rsa.pem\"}"),
                 1795573561);
    cr_assert_eq(exposition_value(&exposition, "sallyport_certificate_not_after_seconds{host=\"*.example.org\","
                                               "file=\"odd \\\"name\\\"\\\\\\n\xef\xbf\xbd.pem\"}"),
                 -1);
    scrape_end();
    end();
}

Test(prometheus, what_tls_to_origins_needs_has_metrics_of_its_own) {
    begin(1);
    scrape();
    cr_assert_eq(exposition_value(&exposition, "sallyport_origin_certificate_not_after_seconds{host=\"*.example.org\","
                                               "file=\"/etc/sallyport/server.pem\"}"),
                 1795573560);
    cr_assert_eq(exposition_value(&exposition, "sallyport_origin_ca_not_after_seconds{host=\"*.example.org\","
                                               "subject=\"CN=Devices\\\\, Inc.\"}"),
                 1800000000);
    scrape_end();
    end();
}

Test(prometheus, roots_and_lists_end_by_their_names_escaped_and_each_name_has_one_sample) {
    begin(1);
    scrape();
    cr_assert(page_has("# TYPE sallyport_client_ca_not_after_seconds gauge\n"));
    cr_assert(page_has("# TYPE sallyport_crl_next_update_seconds gauge\n"));
    cr_assert_eq(exposition_value(&exposition, "sallyport_client_ca_not_after_seconds{host=\"api.example.com\","
                                               "subject=\"CN=Old \\\"A\\\",O=Shop\"}"),
                 -7);
    cr_assert_eq(exposition_value(&exposition, "sallyport_client_ca_not_after_seconds{host=\"api.example.com\","
                                               "subject=\"CN=Devices\\\\, Inc.\"}"),
                 1800000000, "the first of that name");
    cr_assert_eq(exposition_count(&exposition, "sallyport_client_ca_not_after_seconds{"), 2);
    cr_assert_eq(
        exposition_value(&exposition, "sallyport_crl_next_update_seconds{host=\"api.example.com\",issuer=\"CN=Issuer\"}"),
        1790000000);
    cr_assert_eq(exposition_count(&exposition, "sallyport_crl_next_update_seconds{"), 1, "one that never ends has none");
    scrape_end();
    end();
}

Test(prometheus, an_origin_is_up_until_a_shard_cannot_connect) {
    static const char first[] = "sallyport_origin_up{host=\"api.example.com\",origin=\"127.0.0.1:9000\"}",
                      second[] = "sallyport_origin_up{host=\"api.example.com\",origin=\"[::1]:9000\"}";
    begin(2);
    scrape();
    cr_assert(page_has("# TYPE sallyport_origin_up gauge\n"));
    cr_assert_eq(exposition_count(&exposition, "sallyport_origin_up{"), 2);
    cr_assert_eq(exposition_value(&exposition, first), 1);
    cr_assert_eq(exposition_value(&exposition, second), 1);
    scrape_end();
    stats_set(&host_at(0, 1)->origins_down[0], 2);
    scrape();
    cr_assert_eq(exposition_value(&exposition, first), 1);
    cr_assert_eq(exposition_value(&exposition, second), 0);
    scrape_end();
    stats_set(&host_at(0, 1)->origins_down[0], 1);
    scrape();
    cr_assert_eq(exposition_value(&exposition, first), 0);
    cr_assert_eq(exposition_value(&exposition, second), 1);
    scrape_end();
    end();
}

Test(prometheus, the_last_reload_is_told_with_the_time_of_what_is_served) {
    static const char good[] = "sallyport_config_last_reload_successful",
                      time_of[] = "sallyport_config_last_reload_timestamp_seconds";
    static const struct {
        enum stats_reload result;
        int64_t at;
        double good, time;
    } reloads[] = {{STATS_RELOAD_FAILED, 200, 0, 100}, {STATS_RELOAD_OK, 300, 1, 300}, {STATS_RELOAD_FAILED, 400, 0, 300}};
    begin(1);
    stats_note_start(&stats, 100);
    scrape();
    cr_assert(page_has("# TYPE sallyport_config_last_reload_successful gauge\n"));
    cr_assert_eq(exposition_value(&exposition, good), 1);
    cr_assert_eq(exposition_value(&exposition, time_of), 100);
    cr_assert_eq(exposition_value(&exposition, "sallyport_config_reloads_total{result=\"ok\"}"), 0);
    scrape_end();
    for (size_t i = 0; i < sizeof reloads / sizeof reloads[0]; i++) {
        stats_note_reload(&stats, reloads[i].result, reloads[i].at);
        scrape();
        cr_assert_eq(exposition_value(&exposition, good), reloads[i].good);
        cr_assert_eq(exposition_value(&exposition, time_of), reloads[i].time);
        scrape_end();
    }
    scrape();
    cr_assert_eq(exposition_value(&exposition, "sallyport_config_reloads_total{result=\"ok\"}"), 1);
    cr_assert_eq(exposition_value(&exposition, "sallyport_config_reloads_total{result=\"failed\"}"), 2);
    scrape_end();
    end();
}

Test(prometheus, bytes_of_all_shards_and_the_limit_have_one_sample_each) {
    begin(2);
    stats_set(&stats.connections_limit, 4096);
    for (unsigned i = 0; i < 2; i++) {
        stats_set(&stats.shards[i].received_bytes, 1000 + i);
        stats_set(&stats.shards[i].sent_bytes, 2000 + i);
    }
    scrape();
    cr_assert_eq(exposition_value(&exposition, "sallyport_connections_limit"), 4096);
    cr_assert_eq(exposition_value(&exposition, "sallyport_received_bytes_total"), 2001);
    cr_assert_eq(exposition_value(&exposition, "sallyport_sent_bytes_total"), 4001);
    scrape_end();
    end();
}

Test(prometheus, the_process_has_the_names_that_client_libraries_use) {
    static const char *const expected[] = {"process_resident_memory_bytes gauge",
                                           "process_virtual_memory_bytes gauge",
                                           "process_open_fds gauge",
                                           "process_max_fds gauge",
                                           "process_cpu_seconds_total counter",
                                           "process_start_time_seconds gauge"};
    begin(1);
    stats_note_start(&stats, time(NULL));
    scrape();
    cr_assert_eq(exposition_count(&exposition, "process_"), sizeof expected / sizeof expected[0]);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        char line[128];
        snprintf(line, sizeof line, "# TYPE %s\n", expected[i]);
        cr_assert(page_has(line), "%s", line);
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(expected[i], " "), expected[i]);
        cr_assert_geq(exposition_value(&exposition, name), 0);
    }
    cr_assert_geq(exposition_value(&exposition, "process_open_fds"), 3);
    double started = exposition_value(&exposition, "process_start_time_seconds");
    cr_assert(started > (double)time(NULL) - 60 && started < (double)time(NULL) + 1, "%f", started);
    scrape_end();
    scrape();
    cr_assert_eq(exposition_value(&exposition, "process_start_time_seconds"), started, "or it looks like a restart");
    scrape_end();
    end();
}

Test(prometheus, a_server_without_hosts_and_texts_has_a_page_too) {
    cr_assert_eq(stats_create(&stats, 1), 0);
    scrape();
    cr_assert_eq(exposition_value(&exposition, "sallyport_build_info{version=\"\",wolfssl=\"\",crypto=\"\"}"), 1);
    cr_assert_eq(exposition_count(&exposition, "sallyport_requests_total"), 0);
    scrape_end();
    end();
}

Test(prometheus, a_thousand_hosts) {
    enum { HOSTS = 1000, SHARDS = 16 };
    static char names[HOSTS][32];
    static struct stats_host_facts many[HOSTS];
    for (size_t i = 0; i < HOSTS; i++) {
        snprintf(names[i], sizeof names[i], "host-%zu.api.example.com", i);
        many[i] = (struct stats_host_facts){.host = names[i], .terms[STATS_CERTIFICATES] = {own, 1}};
    }
    cr_assert_eq(stats_create(&stats, SHARDS), 0);
    set_hosts(many, HOSTS);
    for (size_t i = 0; i < HOSTS; i++) {
        stats_add(&host_at(i, i % SHARDS)->requests[stats_code_slot(200)][STATS_HTTP1], i);
    }
    clock_t start = clock(); /* of the processor, so that a busy machine does not show */
    page = stats_render_prometheus(&stats, &page_size);
    double elapsed_ms = (double)(clock() - start) * 1e3 / CLOCKS_PER_SEC;
    cr_assert_not_null(page);
    exposition_read(&exposition, page, page_size);
    cr_log_info("%d hosts, %d shards: %zu bytes in %.1f ms", HOSTS, SHARDS, page_size, elapsed_ms);
    cr_assert_eq(
        exposition_value(&exposition,
                         "sallyport_requests_total{host=\"host-999.api.example.com\",code=\"200\",protocol=\"http1\"}"),
        999);
    cr_assert_eq(exposition_count(&exposition, "sallyport_requests_total{"),
                 (size_t)HOSTS * STATS_CODES * STATS_PROTOCOL_COUNT);
    scrape_end();
    end();
}
