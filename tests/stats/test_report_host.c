/* The part of /stats.json that is about hosts. */
#include "report_scene.h"

#include <criterion/criterion.h>

TestSuite(report_host, .init = scene_begin, .fini = scene_end);

Test(report_host, a_host_has_its_last_minute) {
    sampler_tick(&scene.sampler, 2000, 51);
    for (unsigned shard = 0; shard < 2; shard++) {
        struct stats_host *host = stats_hosts_at(scene.stats.hosts, 1, shard);
        stats_add(&host->client_certs[REASON_OK], 1);
        stats_add(&host->client_certs[REASON_ABSENT], 2);
        stats_add(&host->client_certs[REASON_REVOKED], 3);
        stats_add(&host->denied[REASON_REVOKED], 4);
        stats_add(&host->requests[stats_code_slot(403)][STATS_HTTP1], 4);
        stats_add(&host->requests[stats_code_slot(200)][STATS_HTTP1], 5);
        stats_add(&host->requests[stats_code_slot(504)][STATS_HTTP2], 6);
    }
    sampler_tick(&scene.sampler, 3000, 52);
    scene_expect(
        "\"denied\":{\"revoked\":8},\"last_minute\":{\"none\":4,\"valid\":2,\"invalid\":6,\"requests\":30,\"refused\":8,"
        "\"2xx\":10,\"3xx\":0,\"4xx\":8,\"5xx\":12}");
}

Test(report_host, a_host_has_its_mode_certificate_and_origins) {
    stats_add(&stats_hosts_at(scene.stats.hosts, 0, 1)->origins_down[0], 2);
    scene_expect(
        "{\"name\":\"a.example\",\"mode\":\"report\",\"protocol\":\"http\",\"certificate\":{\"file\":\"a "
        "\\\"quoted\\\".pem\",\"not_after\":-5},"
        "\"certificates\":[{\"file\":\"a \\\"quoted\\\".pem\",\"not_after\":-5},{\"file\":\"a-rsa.pem\",\"not_after\":6}],");
    scene_expect(
        "\"origins\":[{\"address\":\"127.0.0.1:9000\",\"up\":true},{\"address\":\"[::1]:9000\",\"up\":false}],\"report\":{");
    scene_expect("{\"name\":\"b.example\",\"mode\":\"off\",\"protocol\":\"tcp\",");
}

Test(report_host, an_origin_that_is_probed_is_down_by_its_probes_which_say_why) {
    struct stats_hosts *hosts = scene.stats.hosts;

    stats_add(&stats_hosts_at(hosts, 1, 1)->origins_down[0], 1);
    scene_expect("\"required\":true,\"health_checks\":true,\"origins\":[{\"address\":\"[::1]:9000\",\"up\":true}]");
    stats_set(&stats_hosts_at_control(hosts, 1)->origins_down[0], 1);
    strcpy(stats_hosts_why(hosts, 1)[0], "status 503");
    scene_expect("\"origins\":[{\"address\":\"[::1]:9000\",\"up\":false,\"why\":\"status 503\"}]");
    scene_expect("\"required\":false,\"health_checks\":false,\"origins\":[{\"address\":\"127.0.0.1:9000\",\"up\":true}");
}

Test(report_host, a_host_says_when_each_root_and_each_issuers_lists_end) {
    scene_expect("\"client_cas\":[{\"subject\":\"CN=\\\"A\\\"\",\"not_after\":-3},{\"subject\":\"CN=B\",\"not_after\":9},"
                 "{\"subject\":\"CN=B\",\"not_after\":11}],"
                 "\"crls\":[{\"issuer\":\"CN=A\",\"next_update\":8},{\"issuer\":\"CN=B\",\"next_update\":null}],");
    scene_expect("\"certificate\":{\"file\":\"b.pem\",\"not_after\":7},\"certificates\":[{\"file\":\"b.pem\",\"not_after\":"
                 "7}],\"client_cas\":[],\"crls\":[],"
                 "\"origin_cas\":[{\"subject\":\"CN=B\",\"not_after\":9}],"
                 "\"origin_certificates\":[{\"file\":\"a-rsa.pem\",\"not_after\":6}],");
}

Test(report_host, a_host_in_mode_report_says_what_enforce_would_have_blocked) {
    for (unsigned shard = 0; shard < 2; shard++) {
        stats_add(&stats_hosts_at(scene.stats.hosts, 0, shard)->would_block[REASON_EXPIRED], 3);
        stats_add(&stats_hosts_at(scene.stats.hosts, 0, shard)->valid_by_span[1], 1);
        rollout_note_client(stats_hosts_rollout_clients(scene.stats.hosts, 0, shard), bytes_of_string("CN=\"A\""),
                            bytes_of_string("0a"));
    }
    sampler_tick(&scene.sampler, 2000, 51);
    scene_expect("\"report\":{\"would_block\":{\"last_hour\":{\"expired\":6},\"last_day\":{\"expired\":6},\"since_start\":{"
                 "\"expired\":6}},"
                 "\"top_issuers\":[{\"value\":\"CN=\\\"A\\\"\",\"count\":2,\"error\":0}],"
                 "\"top_skis\":[{\"value\":\"0a\",\"count\":2,\"error\":0}],"
                 "\"valid_by_days_left\":{\"1\":0,\"7\":2,\"30\":0,\"90\":0,\"365\":0,\"more\":0}}");
    cr_expect_null(stats_hosts_rollout(scene.stats.hosts, 1));
    cr_expect_null(stats_hosts_rollout_clients(scene.stats.hosts, 1, 0));
}
