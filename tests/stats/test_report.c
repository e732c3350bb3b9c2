/* /stats.json in parts; that the whole is JSON, a reader that nobody here wrote finds in tests/integration/test_stats.py. */
#include "stats/hosts.h"
#include "stats/sampler.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct stats stats;
static struct sampler sampler;

static void begin(void) {
    static const char *const origins[] = {"127.0.0.1:9000", "[::1]:9000"};
    static const struct term roots[] = {{"CN=\"A\"", -3, false, 0}, {"CN=B", 9, false, 0}, {"CN=B", 11, true, 0}};
    static const struct term lists[] = {{"CN=A", 8, false, 0}, {"CN=B", TERM_NEVER, false, 0}};
    static const struct stats_host_facts facts[] = {
        {.host = "a.example",
         .file = "a \"quoted\".pem",
         .not_after = -5,
         .mode = "report",
         .origins = origins,
         .origin_count = 2,
         .client_cas = roots,
         .client_ca_count = 3,
         .crls = lists,
         .crl_count = 2},
        {.host = "b.example", .file = "b.pem", .not_after = 7},
    };
    struct stats_hosts *hosts;
    cr_assert_eq(stats_create(&stats, 2), 0);
    hosts = stats_hosts_create(2, facts, 2, NULL);
    stats_set_hosts(&stats, hosts);
    stats_hosts_release(hosts);
    stats.version = "1.2.3";
    stats.started_s = 40;
    cr_assert_eq(sampler_create(&sampler, &stats, 1000, 50), 0);
}

static void end(void) {
    sampler_destroy(&sampler);
    stats_destroy(&stats);
}

TestSuite(report, .init = begin, .fini = end);

static void expect(const char *part) {
    size_t size;
    char *document = stats_render_json(&stats, &sampler, &size);
    cr_assert_not_null(document);
    cr_expect_not_null(memmem(document, size, part, strlen(part)), "%s in %.*s", part, (int)size, document);
    free(document);
}

Test(report, says_what_runs_and_since_when) {
    expect("{\"server\":{\"version\":\"1.2.3\",\"wolfssl\":\"\",\"crypto\":\"\",\"started\":40,\"now\":50},");
}

Test(report, shards_stand_one_by_one_with_their_state_in_words) {
    stats_add(&stats.shards[0].connections, 3);
    stats_add(&stats.shards[1].admission_state, 2);
    expect("\"shards\":[{\"connections\":3,\"connections_total\":0,\"admission_state\":\"calm\"},"
           "{\"connections\":0,\"connections_total\":0,\"admission_state\":\"flooded\"}]");
}

Test(report, counters_are_added_up_over_the_shards) {
    for (unsigned shard = 0; shard < 2; shard++) {
        stats_add(&stats.shards[shard].handshakes[STATS_OK][STATS_FULL][STATS_TLS13], 2);
        stats_add(&stats.shards[shard].handshakes[STATS_TIMEOUT][STATS_RESUMED][STATS_TLS_NONE], 1);
        stats_add(&stats.shards[shard].handshake_work_ns[STATS_KNOWN], 500000000);
        stats_add(&stats.shards[shard].rejected[STATS_AT_ACCEPT][STATS_REJECT_LIMIT], 4);
        stats_add(&stats.shards[shard].over_budget[STATS_OVER_CERTIFICATE_SOURCES], 3);
        stats_add(&stats_hosts_at(stats.hosts, 0, shard)->requests[stats_code_slot(200)], 5);
        stats_add(&stats_hosts_at(stats.hosts, 1, shard)->requests[stats_code_slot(403)], 1);
        stats_add(&stats_hosts_at(stats.hosts, 1, shard)->client_certs[REASON_EXPIRED], 6);
    }
    expect("\"handshakes\":{\"ok\":{\"full\":4,\"resumed\":0},\"failed\":0,\"timeout\":2,\"work_seconds\":{\"known\":1,");
    expect("\"over_budget\":{\"source_work\":0,\"certificate_rate\":0,\"certificate_connections\":0,\"certificate_sources\":"
           "6}");
    expect("\"rejected\":{\"accept\":{\"limit\":8,");
    expect("\"requests\":{\"total\":12,\"by_code\":{\"200\":10,\"403\":2}}");
    expect("\"client_certs\":{\"none\":0,\"valid\":0,\"invalid\":12,\"by_reason\":{\"ok\":0,");
    expect(
        "\"requests\":2,\"requests_by_code\":{\"403\":2},\"client_certs\":{\"expired\":12},\"denied\":{},\"last_minute\":{");
    expect(",\"origins\":[],\"report\":null}");
}

Test(report, a_host_has_its_last_minute) {
    sampler_tick(&sampler, 2000, 51);
    for (unsigned shard = 0; shard < 2; shard++) {
        struct stats_host *host = stats_hosts_at(stats.hosts, 1, shard);
        stats_add(&host->client_certs[REASON_OK], 1);
        stats_add(&host->client_certs[REASON_ABSENT], 2);
        stats_add(&host->client_certs[REASON_REVOKED], 3);
        stats_add(&host->denied[REASON_REVOKED], 4);
        stats_add(&host->requests[stats_code_slot(403)], 4);
        stats_add(&host->requests[stats_code_slot(200)], 5);
        stats_add(&host->requests[stats_code_slot(504)], 6);
    }
    sampler_tick(&sampler, 3000, 52);
    expect("\"denied\":{\"revoked\":8},\"last_minute\":{\"none\":4,\"valid\":2,\"invalid\":6,\"requests\":30,\"refused\":8,"
           "\"2xx\":10,\"3xx\":0,\"4xx\":8,\"5xx\":12}");
}

Test(report, what_is_wrong_stands_near_the_begin) {
    expect("\"now\":50},\"findings\":[],\"findings_left_out\":0,\"shards\":[");
    sampler_tick(&sampler, 2000, 51);
    expect("\"findings\":[{\"level\":\"critical\",\"what\":\"certificate_ended\",\"host\":\"a.example\",\"text\":\"The "
           "certificate of "
           "a.example, a \\\"quoted\\\".pem, ended 56 seconds ago, at 1969-12-31T23:59:55Z: clients that check it do not "
           "connect. "
           "Replace the file, and reload.\"},{\"level\":\"critical\",");
    sampler.findings =
        (struct findings){.count = 1, .left_out = 3, .items = {{.level = FINDING_WARNING, .text = "So it is."}}};
    expect("\"findings\":[{\"level\":\"warning\",\"what\":\"clients_refused\",\"text\":\"So it "
           "is.\"}],\"findings_left_out\":3,");
}

Test(report, a_host_has_its_mode_certificate_and_origins) {
    stats_add(&stats_hosts_at(stats.hosts, 0, 1)->origins_down, 2);
    expect(
        "{\"name\":\"a.example\",\"mode\":\"report\",\"certificate\":{\"file\":\"a \\\"quoted\\\".pem\",\"not_after\":-5},");
    expect(
        "\"origins\":[{\"address\":\"127.0.0.1:9000\",\"up\":true},{\"address\":\"[::1]:9000\",\"up\":false}],\"report\":{");
    expect("{\"name\":\"b.example\",\"mode\":\"off\",");
}

Test(report, a_host_says_when_each_root_and_each_issuers_lists_end) {
    expect("\"client_cas\":[{\"subject\":\"CN=\\\"A\\\"\",\"not_after\":-3},{\"subject\":\"CN=B\",\"not_after\":9},"
           "{\"subject\":\"CN=B\",\"not_after\":11}],"
           "\"crls\":[{\"issuer\":\"CN=A\",\"next_update\":8},{\"issuer\":\"CN=B\",\"next_update\":null}],");
    expect("\"not_after\":7},\"client_cas\":[],\"crls\":[],");
}

Test(report, the_process_its_limits_and_the_last_reload) {
    stats_note_start(&stats, 40);
    stats_set(&stats.connections_limit, 4096);
    stats_set(&stats.shards[0].received_bytes, 10);
    stats_set(&stats.shards[1].received_bytes, 5);
    stats_set(&stats.shards[1].sent_bytes, 7);
    expect("\"config\":{\"last_reload_successful\":true,\"last_reload\":40},\"limits\":{\"connections\":4096},"
           "\"bytes\":{\"received\":15,\"sent\":7},\"process\":{\"resident_bytes\":");
    stats_note_reload(&stats, STATS_RELOAD_FAILED, 60);
    expect("\"config\":{\"last_reload_successful\":false,\"last_reload\":40},");
    stats_note_reload(&stats, STATS_RELOAD_OK, 61);
    expect("\"config\":{\"last_reload_successful\":true,\"last_reload\":61},");
    expect("\"received_bytes\":[],\"sent_bytes\":[],");
}

Test(report, a_host_in_mode_report_says_what_enforce_would_have_blocked) {
    for (unsigned shard = 0; shard < 2; shard++) {
        stats_add(&stats_hosts_at(stats.hosts, 0, shard)->would_block[REASON_EXPIRED], 3);
        stats_add(&stats_hosts_at(stats.hosts, 0, shard)->valid_by_span[1], 1);
        rollout_note_client(stats_hosts_rollout_clients(stats.hosts, 0, shard), bytes_of_string("CN=\"A\""),
                            bytes_of_string("0a"));
    }
    sampler_tick(&sampler, 2000, 51);
    expect("\"report\":{\"would_block\":{\"last_hour\":{\"expired\":6},\"last_day\":{\"expired\":6},\"since_start\":{"
           "\"expired\":6}},"
           "\"top_issuers\":[{\"value\":\"CN=\\\"A\\\"\",\"count\":2,\"error\":0}],"
           "\"top_skis\":[{\"value\":\"0a\",\"count\":2,\"error\":0}],"
           "\"valid_by_days_left\":{\"1\":0,\"7\":2,\"30\":0,\"90\":0,\"365\":0,\"more\":0}}");
    cr_expect_null(stats_hosts_rollout(stats.hosts, 1));
    cr_expect_null(stats_hosts_rollout_clients(stats.hosts, 1, 0));
}

Test(report, latencies_are_percentiles_or_null) {
    for (unsigned i = 0; i < 100; i++) {
        latency_record(&stats.shards[i % 2].latencies, STATS_REQUEST, 2000000);
    }
    sampler_tick(&sampler, 2000, 51);
    expect(
        "\"request\":{\"last_10s\":{\"count\":100,\"p50\":0.002,\"p90\":0.002,\"p99\":0.002,\"p99.9\":0.002,\"max\":0.002},"
        "\"since_start\":{\"count\":100,");
    expect("\"origin\":{\"last_10s\":{\"count\":0,\"p50\":null,\"p90\":null,\"p99\":null,\"p99.9\":null,\"max\":null}");
}

Test(report, history_is_there_from_the_first_second_on) {
    expect("\"history\":{\"interval\":1,\"end\":50,\"series\":{\"handshakes_full\":[],");
    stats_add(&stats.shards[0].handshakes[STATS_OK][STATS_FULL][STATS_TLS13], 3);
    sampler_tick(&sampler, 2000, 51);
    sampler_tick(&sampler, 3000, 52);
    expect("\"history\":{\"interval\":1,\"end\":52,\"series\":{\"handshakes_full\":[3,0],");
    expect("\"request_p99\":[null,null]}");
}
