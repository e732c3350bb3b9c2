#include "changes.h"
#include "config/host.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/stat.h>

Test(host, names_and_defaults, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct change changes[] = {
        {"\"*.example.com\"", "API.example.com", 30, "host \"api.example.com\" is configured already, at line 13"},
        {"  - name: api.example.com", "  - name: \"*.Example.com\"", 30,
         "host \"*.example.com\" is configured already, at line 13"},
        {"  - {name: \"*.", "  - {default: true, name: \"*.", 30, "a second default host; the first is at line 14"},
        {"  - name: api.example.com", "  - name: api.example.com.", 13, "a trailing dot"},
        {"  - name: api.example.com", "  - name: api..com", 13, "an empty label"},
        {"  - name: api.example.com", "  - name: https://api.example.com", 13, "without scheme, port and path"},
        {"  - name: api.example.com",
         "  - name: b\xc3\xbc"
         "cher.de",
         13, "xn-- form"},
        {"  - name: api.example.com", "  - name: 127.0.0.1", 13, "digits alone"},
        {"  - name: api.example.com", "  - name: api.example.com, b.example.com", 13, "a space or comma; write one name"},
        {"  - name: api.example.com", "  - name: api$example.com", 13, "a character that a host name cannot have"},
        {"  - name: api.example.com", "  - name: '*'", 13, "a wildcard is \"*.\" and a domain"},
        {"  - name: api.example.com", "  - name: '*.'", 13, "an empty name"},
        {"  - name: api.example.com", "  - name: '*api.example.com'", 13, "a wildcard is"},
        {"  - name: api.example.com", "  - name: 'a.*.example.com'", 13, "a character that a host name cannot have"},
        {"  - name: api.example.com", "  - name: '*.*.example.com'", 13, "a character that a host name cannot have"},
        {"  - name: api.example.com", "  - name: *.example.com", 13, "must be in quotes"},
        {"hosts:\n", "hosts:\n  - api.example.com\n", 13, "this host must be a mapping"},
    };
    ASSERT_PROBLEMS(changes);
}

Test(host, timeouts, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct change changes[] = {
        {"  - {name: \"*.", "  - {timeouts: {tunnel_idle: 99ms}, name: \"*.", 30,
         "timeouts.tunnel_idle must be a duration from 100ms to 168h, not 99ms"},
        {"  - {name: \"*.", "  - {timeouts: {tunnel_idle: 169h}, name: \"*.", 30, "from 100ms to 168h, not 169h"},
        {"  - {name: \"*.", "  - {timeouts: {idle: 1h}, name: \"*.", 30, "tunnel_idle"},
        {"  - {name: \"*.", "  - {timeouts: {connect: 9ms}, name: \"*.", 30,
         "timeouts.connect must be a duration from 10ms to 5m, not 9ms"},
        {"  - {name: \"*.", "  - {timeouts: {response: 25h}, name: \"*.", 30,
         "timeouts.response must be a duration from 100ms to 24h, not 25h"},
        {"  - {name: \"*.", "  - {timeouts: {body: never}, name: \"*.", 30,
         "timeouts.body must be a duration such as 100ms, 5s, 1m or 1h, not never"},
        {"      - address: 127.0.0.1:9000", "      - {address: \"127.0.0.1:9000\", timeouts: {connect: 6m}}", 29,
         "an origin's timeouts.connect must be a duration from 10ms to 5m, not 6m"},
        {"      - address: 127.0.0.1:9000", "      - {address: \"127.0.0.1:9000\", timeouts: {tunnel_idle: 1h}}", 29,
         "tunnel_idle"},
        {"  - {name: \"*.", "  - {timeouts: 1h, name: \"*.", 30, "timeouts must be a mapping"},
    };
    ASSERT_PROBLEMS(changes);
}

static void expect_timeouts(const struct config_origin *origin, uint32_t connect_ms, uint32_t response_ms,
                            uint32_t body_ms) {
    cr_expect_eq(origin->timeouts.connect_ms, connect_ms);
    cr_expect_eq(origin->timeouts.response_ms, response_ms);
    cr_expect_eq(origin->timeouts.body_ms, body_ms);
}

/* An origin has its host's timeouts but for those that it sets, and the host the defaults. */
Test(host, timeouts_of_origins, .init = changes_set_up, .fini = changes_tear_down) {
    struct config_problems problems = {0};
    char *yaml = scene_replace(changes_good, "  - {name: \"*.", "  - {timeouts: {response: 5m, body: 4s}, name: \"*.");
    struct config *config = scene_load(&changes_scene, yaml, &problems);
    cr_assert_not_null(config);
    expect_timeouts(&config->hosts[0].origins[0], 5000, 60000, 30000);
    expect_timeouts(&config->hosts[1].origins[0], 5000, 300000, 4000);
    config_release(config);
    free(yaml);
    yaml = scene_replace(changes_good, "      - address: 127.0.0.1:9000",
                         "      - {address: \"127.0.0.1:9000\", timeouts: {connect: 200ms, body: 9s}}");
    config = scene_load(&changes_scene, yaml, &problems);
    cr_assert_not_null(config);
    expect_timeouts(&config->hosts[0].origins[0], 200, 60000, 9000);
    expect_timeouts(&config->hosts[1].origins[0], 5000, 60000, 30000);
    config_release(config);
    free(yaml);
}

Test(host, files, .init = changes_set_up, .fini = changes_tear_down) {
    char fifo[256];
    snprintf(fifo, sizeof fifo, "%s/fifo", changes_scene.folder);
    cr_assert_eq(mkfifo(fifo, 0600), 0);
    size_t big_size = 1024 * 1024 + 1;
    char *big = calloc(1, big_size);
    scene_write(&changes_scene, "big.pem", big, big_size);
    scene_write(&changes_scene, "big.json", big, 64 * 1024 + 1);
    free(big);
    static const struct change changes[] = {
        {"    certificate: server.pem", "    certificate: missing.pem", 15, "missing.pem cannot be opened: No such file"},
        {"    certificate: server.pem", "    certificate: empty.pem", 15, "empty.pem is empty"},
        {"    certificate: server.pem", "    certificate: garbage.pem", 15, "certificate: /tmp/"},
        {"    certificate: server.pem", "    certificate: half.pem", 15, "half.pem: "},
        {"    certificate: server.pem", "    certificate: big.pem", 15, "big.pem is larger than 1048576 bytes"},
        {"    certificate: server.pem", "    certificate: fifo", 15, "fifo is not a regular file"},
        {"    certificate: server.pem", "    certificate: .", 15, "is a directory"},
        {"    key: server.key", "    key: missing.key", 16, "missing.key cannot be opened"},
        {"    key: server.key", "    key: garbage.pem", 16, "key: /tmp/"},
        {"    key: server.key", "    key: empty.pem", 16, "empty.pem is empty"},
        {"    key: server.key", "    key: other.key", 16, "other.key: "},
        {"    key: server.key", "    key: encrypted.key", 16, "encrypted.key is encrypted"},
        {"root2.pem", "missing.pem", 20, "client_auth.ca: /tmp/"},
        {"root2.pem", "empty.pem", 20, "empty.pem is empty"},
        {"root2.pem", "garbage.pem", 20, "garbage.pem: "},
        {"root2.pem", "half.pem", 20, "half.pem: "},
        {"root2.pem", "leaf.pem", 20, "leaf.pem: "},
        {"root2.pem", "server.key", 20, "server.key is a private key"},
        {"{json: deny.json}", "{json: missing.json}", 22, "client_auth.deny.json: /tmp/"},
        {"{json: deny.json}", "{json: empty.pem}", 22, "empty.pem is empty"},
        {"{json: deny.json}", "{html: big.json}", 22, "big.json is larger than 65536 bytes"},
    };
    ASSERT_PROBLEMS(changes);
}
