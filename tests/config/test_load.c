#include "changes.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

static struct scene scene;
static struct config_problems problems;

static void set_up(void) {
    problems = (struct config_problems){0};
    scene_make(&scene);
}

static void tear_down(void) {
    config_problems_free(&problems);
    scene_remove(&scene);
}

#define SMALLEST                                                                                                            \
    "listen: [{address: '127.0.0.1:8443'}]\n"                                                                               \
    "hosts:\n"                                                                                                              \
    "  - name: api.example.com\n"                                                                                           \
    "    certificate: server.pem\n"                                                                                         \
    "    key: server.key\n"                                                                                                 \
    "    origin: [{address: 127.0.0.1:9000}]\n"

static const char full[] = "listen:\n"
                           "  - address: \"0.0.0.0:8443\"\n"
                           "  - address: \"[::]:8443\"\n"
                           "admin:\n"
                           "  address: 127.0.0.1:9443\n"
                           "  names: [Edge-1, metrics.example.net]\n"
                           "shards: 3\n"
                           "limits:\n"
                           "  handshake_timeout: 100ms\n"
                           "  request_header_timeout: 1m\n"
                           "  idle_timeout: 24h\n"
                           "  request_header_size: 64KiB\n"
                           "  connections: 1\n"
                           "  certificate_chain_size: 1024\n"
                           "  response_headers: 1000\n"
                           "cert_cache:\n"
                           "  entries: 1000\n"
                           "tickets:\n"
                           "  lifetime: 0\n"
                           "tls:\n"
                           "  prefer_post_quantum: strict\n"
                           "hosts:\n"
                           "  - name: API.Example.COM\n"
                           "    default: true\n"
                           "    certificate: server.pem\n"
                           "    key: server.key\n"
                           "    client_auth:\n"
                           "      mode: enforce\n"
                           "      ca: [root.pem, root2.pem, root.pem]\n"
                           "      crl_check: leaf\n"
                           "      crl_stale: accept\n"
                           "      max_depth: 16\n"
                           "      advertise_ca_names: false\n"
                           "      deny:\n"
                           "        json: deny.json\n"
                           "        html: deny.html\n"
                           "    forward:\n"
                           "      status: X-Verdict\n"
                           "      ski: X-Key\n"
                           "      headers:\n"
                           "        X-Reason: reason\n"
                           "        X-Forwarded-Client-Cert: xfcc\n"
                           "        X-Device: subject.cn\n"
                           "        X-Extension: \"ext:1.2.3.4\"\n"
                           "    origin:\n"
                           "      - address: 127.0.0.1:9000\n"
                           "      - address: \"[::1]:9001\"\n"
                           "      - address: 127.0.0.1:9000\n"
                           "    origin_pool: on\n"
                           "    origin_protocol: http2\n"
                           "  - name: \"*.example.com\"\n"
                           "    certificate: server.pem\n"
                           "    key: server.key\n"
                           "    client_auth: {mode: off, ca: [root.pem]}\n"
                           "    origin: [{address: localhost:9002}]\n"
                           "    origin_pool: off\n"
                           "    http2: false\n"
                           "    origin_protocol: http1\n";

static struct config *load(const char *yaml) {
    struct config *config = scene_load(&scene, yaml, &problems);
    cr_assert(config != NULL, "line %u: %s", problems.items[0].line, problems.items[0].message);
    cr_assert_eq(problems.count, 0);
    return config;
}

Test(load, defaults, .init = set_up, .fini = tear_down) {
    struct config *config = load(SMALLEST);
    cr_assert_str_eq(config->path, scene.path);
    cr_assert_eq(config->listen_count, 1);
    cr_assert_str_eq(config->listen[0].address.text, "127.0.0.1:8443");
    cr_assert_null(config->admin_address.text);
    cr_assert_eq(config->admin_name_count, 0);
    cr_assert_null(config->access_log);
    cr_assert_null(config->default_host);
    cr_assert_eq(config->shards, 0);
    cr_assert_eq(config->limits.handshake_timeout_ms, 5000);
    cr_assert_eq(config->limits.request_header_timeout_ms, 10000);
    cr_assert_eq(config->limits.idle_timeout_ms, 60000);
    cr_assert_eq(config->limits.request_header_size, 32768);
    cr_assert_eq(config->limits.connections, 65536);
    cr_assert_eq(config->limits.connections_line, 0);
    cr_assert_eq(config->limits.certificate_chain_size, 16384);
    cr_assert_eq(config->limits.response_headers, 100);
    cr_assert_not(config->hosts[0].origin_pool_off);
    cr_assert(config->hosts[0].http2);
    cr_assert_not(config->hosts[0].origin_http2);
    cr_assert_eq(config->hosts[0].tunnel_idle_ms, 3600000);
    cr_assert_eq(config->cert_cache_entries, 262144);
    cr_assert_eq(config->ticket_lifetime_s, 3600);
    cr_assert_eq(config->prefer_post_quantum, CONFIG_POST_QUANTUM_AUTO);
    const struct config_host *host = &config->hosts[0];
    cr_assert_eq(host->mode, CONFIG_OFF);
    cr_assert_null(host->trust);
    cr_assert_null(host->policy.trust);
    cr_assert_eq(host->policy.depth_max, 4);
    cr_assert_eq(host->policy.forward, &host->forward);
    cr_assert(host->advertise_ca_names);
    cr_assert_gt(host->deny_json.size, 0);
    cr_assert_gt(host->deny_html.size, 0);
    cr_assert_eq(host->forward.count, 2);
    cr_assert_str_eq(host->forward.headers[0].name, "X-Client-Cert-Status");
    cr_assert_eq(host->forward.headers[0].field.kind, FIELD_STATUS);
    cr_assert_str_eq(host->forward.headers[1].name, "X-Client-Cert-SKI");
    cr_assert_eq(host->forward.headers[1].field.kind, FIELD_SKI);
    config_release(config);
}

Test(load, all_settings_arrive, .init = set_up, .fini = tear_down) {
    struct config *config = load(full);
    cr_assert_eq(config->listen_count, 2);
    cr_assert_str_eq(config->listen[1].address.text, "[::]:8443");
    cr_assert_eq(config->listen[1].address.address.ss_family, AF_INET6);
    cr_assert_str_eq(config->admin_address.text, "127.0.0.1:9443");
    cr_assert_eq(config->admin_name_count, 2);
    cr_assert_str_eq(config->admin_names[0], "edge-1");
    cr_assert_str_eq(config->admin_names[1], "metrics.example.net");
    cr_assert_eq(config->shards, 3);
    cr_assert_eq(config->limits.handshake_timeout_ms, 100);
    cr_assert_eq(config->limits.request_header_timeout_ms, 60000);
    cr_assert_eq(config->limits.idle_timeout_ms, 86400000);
    cr_assert_eq(config->limits.request_header_size, 65536);
    cr_assert_eq(config->limits.connections, 1);
    cr_assert_gt(config->limits.connections_line, 0);
    cr_assert_eq(config->limits.certificate_chain_size, 1024);
    cr_assert_eq(config->limits.response_headers, 1000);
    cr_assert_not(config->hosts[0].origin_pool_off);
    cr_assert(config->hosts[1].origin_pool_off);
    cr_assert(config->hosts[0].http2);
    cr_assert_not(config->hosts[1].http2);
    cr_assert(config->hosts[0].origin_http2);
    cr_assert_not(config->hosts[1].origin_http2);
    cr_assert_eq(config->cert_cache_entries, 1000);
    cr_assert_eq(config->ticket_lifetime_s, 0);
    cr_assert_eq(config->prefer_post_quantum, CONFIG_POST_QUANTUM_STRICT);
    cr_assert_eq(config->host_count, 2);
    config_release(config);
}

Test(load, a_host_arrives_whole, .init = set_up, .fini = tear_down) {
    struct config *config = load(full);
    const struct config_host *host = &config->hosts[0];
    cr_assert_str_eq(host->name, "api.example.com");
    cr_assert_eq(host->index, 0);
    cr_assert_eq(config->default_host, host);
    cr_assert_eq(host->mode, CONFIG_ENFORCE);
    cr_assert_eq(host->certificates[0].credentials->chain_count, 2);
    cr_assert_eq(trust_count(host->trust), 2);
    cr_assert_eq(host->policy.trust, host->trust);
    cr_assert_eq(host->policy.depth_max, 16);
    cr_assert_not(host->advertise_ca_names);
    cr_assert(bytes_equal(host->deny_html, bytes_of_string("<!DOCTYPE html><title>No</title><p>No certificate.</p>\n")));
    cr_assert_eq(host->deny_json.data[0], '{');
    static const char *const names[] = {"X-Verdict", "X-Key",      "X-Reason", "X-Forwarded-Client-Cert",
                                        "X-Device",  "X-Extension"};
    static const enum field_kind kinds[] = {FIELD_STATUS,   FIELD_SKI, FIELD_REASON, FIELD_XFCC, FIELD_SUBJECT_ATTRIBUTE,
                                            FIELD_EXTENSION};
    cr_assert_eq(host->forward.count, ARRAY_LENGTH(names));
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        cr_assert_str_eq(host->forward.headers[i].name, names[i]);
        cr_assert_eq(host->forward.headers[i].field.kind, kinds[i]);
    }
    cr_assert_eq(host->origin_count, 2);
    cr_assert_str_eq(host->origins[0].addresses[0].text, "127.0.0.1:9000");
    cr_assert_str_eq(host->origins[1].addresses[0].text, "[::1]:9001");
    cr_assert_eq(ntohs(((const struct sockaddr_in6 *)&host->origins[1].addresses[0].address)->sin6_port), 9001);
    cr_assert_null(config->hosts[1].trust);
    cr_assert_geq(config->hosts[1].origin_count, 1);
    config_release(config);
}

Test(load, hosts_are_found, .init = set_up, .fini = tear_down) {
    struct config *config = load(full);
    cr_assert_eq(config_find_host(config, "api.example.com"), &config->hosts[0]);
    cr_assert_eq(config_find_host(config, "www.example.com"), &config->hosts[1]);
    cr_assert_eq(config_find_host(config, ""), &config->hosts[0]);
    cr_assert_null(config_find_host(config, "example.com"));
    cr_assert_null(config_find_host(config, "a.b.example.com"));
    config_release(config);
}

Test(load, no_header_of_any_host_may_come_from_outside, .init = set_up, .fini = tear_down) {
    struct config *config = load(full);
    static const char *const removed[] = {"X-Verdict",
                                          "x_verdict",
                                          "X-Key",
                                          "X-Reason",
                                          "X-Device",
                                          "X-Extension",
                                          "X-Forwarded-For",
                                          "x_forwarded_for",
                                          "X-Forwarded-Proto",
                                          "X-Forwarded-Host",
                                          "X-Verdict-Too-Large",
                                          "X-Client-Cert-Status",
                                          "X-Client-Cert-SKI",
                                          "x-client_cert-ski",
                                          "X.Verdict",
                                          "x~verdict!too|large",
                                          "X-Forwarded-Client-Cert",
                                          "Client-Cert",
                                          "Client-Cert-Chain",
                                          "Client_Cert-Too-Large",
                                          "Proxy",
                                          "Forwarded",
                                          "X-Client-Cert-Status-Too-Large"};
    for (size_t i = 0; i < ARRAY_LENGTH(removed); i++) {
        cr_assert(http_removals_has(config->removals, bytes_of_string(removed[i])), "%s", removed[i]);
    }
    cr_assert_not(http_removals_has(config->removals, bytes_of_string("X-Request-Id")));
    cr_assert_not(http_removals_has(config->removals, bytes_of_string("Accept")));
    config_release(config);
}

Test(load, paths_are_relative_to_the_file, .init = set_up, .fini = tear_down) {
    struct config *config = load(SMALLEST);
    char expected[256];
    snprintf(expected, sizeof expected, "%s/server.pem", scene.folder);
    cr_assert_str_eq(config->hosts[0].certificates[0].path, expected);
    config_release(config);
    cr_assert_eq(chdir(scene.folder), 0);
    config = config_load("config.yaml", &problems);
    cr_assert_not_null(config);
    cr_assert_str_eq(config->hosts[0].certificates[0].path, "server.pem");
    config_release(config);
    char *absolute = scene_replace(SMALLEST, "server.pem", TEST_DATA "/server.pem");
    config = load(absolute);
    cr_assert_str_eq(config->hosts[0].certificates[0].path, TEST_DATA "/server.pem");
    config_release(config);
    free(absolute);
    cr_assert_eq(chdir("/"), 0);
}

Test(load, json_works_too, .init = set_up, .fini = tear_down) {
    struct config *config = load("{\"listen\": [{\"address\": \"127.0.0.1:1\"}], \"hosts\": [{\"name\": \"localhost\",\n"
                                 "\t\"certificate\": \"server.pem\", \"key\": \"server.key\", \"default\": true,\n"
                                 "\t\"origin\": [{\"address\": \"127.0.0.1:2\"}]}]}\n");
    cr_assert_eq(config->default_host, &config->hosts[0]);
    config_release(config);
}

/* The example must stay in step with the code: nothing in it may be wrong but the files, which are the reader's to make. */
Test(load, the_example_is_good_but_for_its_files, .init = set_up, .fini = tear_down) {
    struct config *config = config_load(TEST_DOCS "/sallyport.example.yaml", &problems);
    cr_assert_null(config);
    cr_assert_gt(problems.count, 1);
    for (size_t i = 0; i < problems.count; i++) {
        cr_assert_not_null(strstr(problems.items[i].message, "cannot be opened: No such file"), "line %u: %s",
                           problems.items[i].line, problems.items[i].message);
    }
}

Test(load, the_unchanged_file_is_good, .init = set_up, .fini = tear_down) {
    struct config *config = load(changes_good);
    config_release(config);
}

Test(load, whole_files, .init = set_up, .fini = tear_down) {
    static const struct {
        const char *text;
        unsigned line;
        const char *fragment;
    } texts[] = {
        {"", 1, "is empty"},
        {"# nothing\n", 1, "the file is empty"},
        {"---\n", 1, "the file is empty"},
        {"- a\n", 1, "must be a mapping"},
        {"hello\n", 1, "must be a mapping"},
        {"listen: [\n", 1, "not YAML"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        cr_assert_null(scene_load(&scene, texts[i].text, &problems));
        cr_assert_eq(problems.count, 1);
        cr_assert_eq(problems.items[0].line, texts[i].line, "%s: line %u", texts[i].text, problems.items[0].line);
        cr_assert_not_null(strstr(problems.items[0].message, texts[i].fragment), "%s", problems.items[0].message);
        config_problems_free(&problems);
    }
}

Test(load, no_file, .init = set_up, .fini = tear_down) {
    cr_assert_null(config_load("/nonexistent/sallyport.yaml", &problems));
    cr_assert_null(config_load(scene.folder, &problems));
    cr_assert_null(config_load("", &problems));
    cr_assert_eq(problems.count, 3);
    cr_assert_str_eq(problems.items[0].message, "the file cannot be opened: No such file or directory");
    cr_assert_str_eq(problems.items[1].message, "the file is a directory, not a file");
    config_problems_free(&problems);
}

Test(load, all_problems_are_reported_in_order, .init = set_up, .fini = tear_down) {
    cr_assert_null(scene_load(&scene,
                              "shards: 0\n"
                              "limits: {connections: x, colour: red}\n"
                              "hosts:\n"
                              "  - name: a.example.com\n"
                              "    certificate: missing.pem\n"
                              "    key: missing.key\n"
                              "    client_auth: {mode: report}\n"
                              "    origin: [{address: nowhere}, {address: '1.2.3.4:x'}]\n"
                              "  - name: a.example.com\n"
                              "    origin: 5\n",
                              &problems));
    static const unsigned lines[] = {1, 1, 2, 2, 5, 6, 7, 8, 8, 9, 9, 9, 10};
    cr_assert_eq(problems.count, ARRAY_LENGTH(lines));
    for (size_t i = 0; i < ARRAY_LENGTH(lines); i++) {
        cr_assert_eq(problems.items[i].line, lines[i], "%zu: line %u: %s", i, problems.items[i].line,
                     problems.items[i].message);
    }
    config_problems_free(&problems);
}
