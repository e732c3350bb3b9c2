/* /stats.json in parts; that the whole is JSON, a reader that nobody here wrote finds in tests/integration/test_stats.py. */
#include "report_scene.h"

#include <criterion/criterion.h>

TestSuite(report, .init = scene_begin, .fini = scene_end);

Test(report, says_what_runs_and_since_when) {
    scene_expect("{\"server\":{\"version\":\"1.2.3\",\"wolfssl\":\"\",\"crypto\":\"\",\"started\":40,\"now\":50},");
}

Test(report, shards_stand_one_by_one_with_their_state_in_words) {
    stats_add(&scene.stats.shards[0].connections, 3);
    stats_add(&scene.stats.shards[1].admission_state, 2);
    scene_expect("\"shards\":[{\"connections\":3,\"connections_total\":0,\"admission_state\":\"calm\"},"
                 "{\"connections\":0,\"connections_total\":0,\"admission_state\":\"flooded\"}]");
}

Test(report, counters_are_added_up_over_the_shards) {
    for (unsigned shard = 0; shard < 2; shard++) {
        stats_add(&scene.stats.shards[shard].handshakes[STATS_OK][STATS_FULL][STATS_TLS13][KEY_GROUP_X25519], 2);
        stats_add(&scene.stats.shards[shard].handshakes[STATS_TIMEOUT][STATS_RESUMED][STATS_TLS_NONE][KEY_GROUP_NONE], 1);
        stats_add(&scene.stats.shards[shard].handshake_work_ns[STATS_KNOWN], 500000000);
        stats_add(&scene.stats.shards[shard].rejected[STATS_AT_ACCEPT][STATS_REJECT_LIMIT], 4);
        stats_add(&scene.stats.shards[shard].over_budget[STATS_OVER_CERTIFICATE_SOURCES], 3);
        stats_add(&stats_hosts_at(scene.stats.hosts, 0, shard)->requests[stats_code_slot(200)][STATS_HTTP1], 5);
        stats_add(&stats_hosts_at(scene.stats.hosts, 1, shard)->requests[stats_code_slot(403)][STATS_HTTP2], 1);
        stats_add(&stats_hosts_at(scene.stats.hosts, 1, shard)->client_certs[REASON_EXPIRED], 6);
    }
    scene_expect(
        "\"handshakes\":{\"ok\":{\"full\":4,\"resumed\":0},\"failed\":0,\"timeout\":2,\"work_seconds\":{\"known\":1,");
    scene_expect(
        "\"over_budget\":{\"source_work\":0,\"certificate_rate\":0,\"certificate_connections\":0,\"certificate_sources\":"
        "6}");
    scene_expect("\"rejected\":{\"accept\":{\"limit\":8,");
    scene_expect("\"requests\":{\"total\":12,\"by_code\":{\"200\":10,\"403\":2}}");
    scene_expect("\"client_certs\":{\"none\":0,\"valid\":0,\"invalid\":12,\"by_reason\":{\"ok\":0,");
    scene_expect(
        "\"requests\":2,\"requests_by_code\":{\"403\":2},\"client_certs\":{\"expired\":12},\"denied\":{},\"last_minute\":{");
    scene_expect(",\"origins\":[{\"address\":\"[::1]:9000\",\"up\":true}],\"report\":null}");
}

Test(report, what_is_wrong_stands_near_the_begin) {
    scene_expect("\"now\":50},\"findings\":[],\"findings_left_out\":0,\"shards\":[");
    sampler_tick(&scene.sampler, 2000, 51);
    scene_expect(
        "\"findings\":[{\"level\":\"critical\",\"what\":\"certificate_ended\",\"host\":\"a.example\",\"text\":\"The "
        "certificate of "
        "a.example, a \\\"quoted\\\".pem, ended 56 seconds ago, at 1969-12-31T23:59:55Z: clients that check it do not "
        "connect. "
        "Replace the file, and reload. The same holds for 1 more of this host.\"},{\"level\":\"critical\",");
    scene.sampler.findings =
        (struct findings){.count = 1, .left_out = 3, .items = {{.level = FINDING_WARNING, .text = "So it is."}}};
    scene_expect("\"findings\":[{\"level\":\"warning\",\"what\":\"clients_refused\",\"text\":\"So it "
                 "is.\"}],\"findings_left_out\":3,");
}

Test(report, the_process_its_limits_and_the_last_reload) {
    stats_note_start(&scene.stats, 40);
    stats_set(&scene.stats.connections_limit, 4096);
    stats_set(&scene.stats.shards[0].received_bytes, 10);
    stats_set(&scene.stats.shards[1].received_bytes, 5);
    stats_set(&scene.stats.shards[1].sent_bytes, 7);
    scene_expect("\"config\":{\"last_reload_successful\":true,\"last_reload\":40},\"limits\":{\"connections\":4096},"
                 "\"bytes\":{\"received\":15,\"sent\":7},\"process\":{\"resident_bytes\":");
    stats_note_reload(&scene.stats, STATS_RELOAD_FAILED, 60);
    scene_expect("\"config\":{\"last_reload_successful\":false,\"last_reload\":40},");
    stats_note_reload(&scene.stats, STATS_RELOAD_OK, 61);
    scene_expect("\"config\":{\"last_reload_successful\":true,\"last_reload\":61},");
    scene_expect("\"received_bytes\":[],\"sent_bytes\":[],");
}

Test(report, latencies_are_percentiles_or_null) {
    for (unsigned i = 0; i < 100; i++) {
        latency_record(&scene.stats.shards[i % 2].latencies, STATS_REQUEST, 2000000);
    }
    sampler_tick(&scene.sampler, 2000, 51);
    scene_expect(
        "\"request\":{\"last_10s\":{\"count\":100,\"p50\":0.002,\"p90\":0.002,\"p99\":0.002,\"p99.9\":0.002,\"max\":0.002},"
        "\"since_start\":{\"count\":100,");
    scene_expect(
        "\"origin\":{\"last_10s\":{\"count\":0,\"p50\":null,\"p90\":null,\"p99\":null,\"p99.9\":null,\"max\":null}");
}

Test(report, history_is_there_from_the_first_second_on) {
    scene_expect("\"history\":{\"interval\":1,\"end\":50,\"series\":{\"handshakes_full\":[],");
    stats_add(&scene.stats.shards[0].handshakes[STATS_OK][STATS_FULL][STATS_TLS13][KEY_GROUP_X25519], 3);
    sampler_tick(&scene.sampler, 2000, 51);
    sampler_tick(&scene.sampler, 3000, 52);
    scene_expect("\"history\":{\"interval\":1,\"end\":52,\"series\":{\"handshakes_full\":[3,0],");
    scene_expect("\"request_p99\":[null,null]}");
}
