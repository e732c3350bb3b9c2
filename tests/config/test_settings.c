#include "changes.h"
#include "config/file.h"
#include "config/settings.h"
#include "config/units.h"

#include <criterion/criterion.h>
#include <stdlib.h>

Test(settings, ranges, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct change changes[] = {
        {"shards: auto", "shards: 0", 5, "from 1 to 1024, not 0"},
        {"shards: auto", "shards: 1025", 5, "from 1 to 1024, not 1025"},
        {"  handshake_timeout: 5s", "  handshake_timeout: 5", 7, "must be a duration such as"},
        {"  handshake_timeout: 5s", "  handshake_timeout: 99ms", 7, "from 100ms to 5m, not 99ms"},
        {"  handshake_timeout: 5s", "  handshake_timeout: 6m", 7, "from 100ms to 5m, not 6m"},
        {"  handshake_timeout: 5s", "  handshake_timeout: 0", 7, "from 100ms to 5m, not 0"},
        {"  handshake_timeout: 5s", "  request_header_timeout: 601s", 7, "from 100ms to 10m, not 601s"},
        {"  handshake_timeout: 5s", "  idle_timeout: 25h", 7, "from 100ms to 24h, not 25h"},
        {"  request_header_size: 32KiB", "  request_header_size: 65KiB", 8, "from 1KiB to 64KiB, not 65KiB"},
        {"  request_header_size: 32KiB", "  request_header_size: 1023", 8, "from 1KiB to 64KiB, not 1023"},
        {"  request_header_size: 32KiB", "  request_header_size: 32KB", 8, "must be a size such as"},
        {"  request_header_size: 32KiB", "  certificate_chain_size: 1MiB", 8, "from 1KiB to 64KiB, not 1MiB"},
        {"  request_header_size: 32KiB", "  response_headers: 9", 8, "from 10 to 1000, not 9"},
        {"  request_header_size: 32KiB", "  response_headers: 1001", 8, "from 10 to 1000, not 1001"},
        {"[{address: '[::1]:9000'}]}", "[{address: '[::1]:9000'}], origin_pool: never}", 30,
         "origin_pool must be on or off"},
        {"[{address: '[::1]:9000'}]}", "[{address: '[::1]:9000'}], origin_pool: true}", 30, "origin_pool must be on or off"},
        {"[{address: '[::1]:9000'}]}", "[{address: '[::1]:9000'}], http2: 1}", 30, "http2 must be true or false"},
        {"[{address: '[::1]:9000'}]}", "[{address: '[::1]:9000'}], origin_protocol: h2c}", 30,
         "origin_protocol must be http1 or http2, not h2c"},
        {"[{address: '[::1]:9000'}]}", "[{address: '[::1]:9000'}], origin_protocol: [http2]}", 30,
         "origin_protocol must be http1 or http2"},
        {"[{address: '[::1]:9000'}]}", "[{address: '[::1]:9000'}], origin_pool: off, origin_protocol: http2}", 30,
         "origin_pool: off does not go with origin_protocol: http2"},
        {"[{address: '[::1]:9000'}]}", "[{address: '[::1]:9000'}], origin_proxy_protocol: v3}", 30,
         "origin_proxy_protocol must be off, v1 or v2, not v3"},
        {"[{address: '[::1]:9000'}]}", "[{address: '[::1]:9000'}], origin_proxy_protocol: v2, origin_protocol: http2}", 30,
         "origin_proxy_protocol: v2 does not go with origin_protocol: http2"},
        {"  connections: 65536", "  connections: 0", 9, "from 1 to 1000000, not 0"},
        {"  connections: 65536", "  connections: 1000001", 9, "not 1000001"},
        {"  connections: 65536", "  connections: -1", 9, "not -1"},
        {"  connections: 65536", "  connections: 4294967297", 9, "not 4294967297"},
        {"{entries: 5}", "{entries: 0}", 10, "from 1 to 16777216, not 0"},
        {"{entries: 5}", "{entries: 16777217}", 10, "not 16777217"},
        {"{lifetime: 1h}", "{lifetime: 169h}", 11, "from 0 to 168h, not 169h"},
        {"{lifetime: 1h}", "{lifetime: 1500ms}", 11, "must be whole seconds, not 1500ms"},
        {"      max_depth: 4", "      max_depth: 0", 21, "from 1 to 16, not 0"},
        {"      max_depth: 4", "      max_depth: 17", 21, "from 1 to 16, not 17"},
    };
    ASSERT_PROBLEMS(changes);
}

Test(settings, addresses, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct change changes[] = {
        {"- address: 127.0.0.1:8443", "- address: localhost:8443", 2, "is not an IPv4 address"},
        {"- address: 127.0.0.1:8443", "- address: 127.0.0.1:0", 2, "port must be a number from 1 to 65535"},
        {"- address: 127.0.0.1:8443", "- address: 127.0.0.1", 2, "has no port"},
        {"- address: 127.0.0.1:8443", "- address: '::1:8443'", 2, "must be in brackets"},
        {"- address: 127.0.0.1:8443", "- address: '[::1]:8443'\n  - address: '[0::1]:8443'", 3, "is listened on already"},
        {"  address: 127.0.0.1:9443", "  address: 127.0.0.1:8443", 4, "is that of a listener"},
        {"  address: 127.0.0.1:9443", "  address: 0.0.0.0:8443", 4, "is that of a listener"},
        {"  address: 127.0.0.1:9443", "  address: 127.0.0.1:94430", 4, "port must be a number"},
        {"      - address: 127.0.0.1:9000", "      - address: 127.0.0.1", 29, "has no port"},
        {"      - address: 127.0.0.1:9000", "      - address: http://127.0.0.1:9000", 29,
         "address \"http://127.0.0.1:9000\": is a URL; write \"127.0.0.1:9000\""},
        {"      - address: 127.0.0.1:9000", "      - address: https://localhost/api", 29,
         "is a URL; write \"localhost:443\"; for TLS, set origin_tls"},
        {"      - address: 127.0.0.1:9000", "      - address: \"unix:\"", 29, "address \"unix:\": has no path"},
        {"      - address: 127.0.0.1:9000", "      - address: /run/app.sock", 29, "is a path; write address:port, or unix:"},
        {"      - address: 127.0.0.1:9000", "      - address: 127.0.0.1:9000/api", 29,
         "has a path; write host and port alone"},
        {"      - address: 127.0.0.1:9000", "      - address: [::1]:9000", 29,
         "not YAML: an IPv6 address in brackets must be in quotes"},
        {"- address: 127.0.0.1:8443", "- address: [::1]:8443", 2, "not YAML: an IPv6 address in brackets must be in quotes"},
        {"[{address: '[::1]:9000'}]", "[{address: '[::1]:9000'}, {address: '-a:1'}]", 30, "is neither IPv4:port"},
        {"- address: 127.0.0.1:8443", "- address: 8443", 2,
         "address must be address:port, such as 127.0.0.1:8443, not 8443"},
        {"- address: 127.0.0.1:8443", "- address:127.0.0.1:8443", 2, "did you mean \"address: 127.0.0.1:8443\"?"},
        {"- address: 127.0.0.1:8443", "- 127.0.0.1:8443", 2, "did you mean \"address: 127.0.0.1:8443\"?"},
        {"- address: 127.0.0.1:8443", "- address: 127.0.0.1:8443, 127.0.0.1:8444", 2, "has a space or comma in it"},
        {"- address: 127.0.0.1:8443", "address: 127.0.0.1:8443", 2, "begin each item with \"- \""},
        {"      - address: 127.0.0.1:9000", "      - address: app:9000:1", 29, "has more than one \":\""},
        {"tickets: {lifetime: 1h}", "tls: {prefer_post_quantum: on}", 11,
         "tls.prefer_post_quantum must be auto, strict or off, not on"},
        {"tickets: {lifetime: 1h}", "tls: {groups: [X25519]}", 11, "unknown key \"groups\" in tls"},
        {"tickets: {lifetime: 1h}", "tls: strict", 11, "tls must be a mapping"},
        {"tickets: {lifetime: 1h}", "tickets: 1h", 11, "did you mean \"lifetime: 1h\"?"},
        {"- address: 127.0.0.1:8443", "- address: ':8443'", 2, "0.0.0.0 is all IPv4 addresses"},
        {"- address: 127.0.0.1:8443", "- address: '*:8443'", 2, "0.0.0.0 is all IPv4 addresses"},
        {"- address: 127.0.0.1:8443", "- address: https://0.0.0.0:8443", 2, "is a URL; write \"0.0.0.0:8443\""},
        {"      - address: 127.0.0.1:9000", "      - address: sallyport.invalid:9000", 29, "does not resolve"},
        {"[{address: '[::1]:9000'}]", "[{address: '[::1]:9000'}, {address: 'a b:1'}]", 30, "has a space or comma in it"},
    };
    ASSERT_PROBLEMS(changes);
}

#define NAMES(list) "  address: 127.0.0.1:9443", "  address: 127.0.0.1:9443\n  names: " list, 5

Test(settings, admin_names, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct change changes[] = {
        {NAMES("edge-1"), "admin.names must be a list"},
        {NAMES("[]"), "admin.names"},
        {NAMES("['*.example.com']"), "name \"*.example.com\" is no host name"},
        {NAMES("[a, 'a:9443']"), "name \"a:9443\" is no host name"},
        {NAMES("[127.0.0.1]"), "name \"127.0.0.1\" is no host name"},
        {NAMES("[a.example.]"), "name \"a.example.\" is no host name"},
        {NAMES("[{a: b}]"), "admin.names"},
    };
    ASSERT_PROBLEMS(changes);
    char many[65 * 8] = "  address: 127.0.0.1:9443\n  names: [a";
    for (size_t i = 0; i < 64; i++) {
        size_t size = strlen(many);
        snprintf(many + size, sizeof many - size, ", n%zu", i);
    }
    size_t end = strlen(many);
    snprintf(many + end, sizeof many - end, "]");
    changes_assert_problem(&(struct change){"  address: 127.0.0.1:9443", many, 5, "admin.names has more than 64 names"});
}

Test(settings, access_log, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct change changes[] = {
        {"shards: auto", "access_log: {}", 5, "access_log must be a string"},
        {"shards: auto", "access_log: /nowhere/at/all.log", 5, "access_log: there is no directory /nowhere/at"},
        {"shards: auto", "access_log: nowhere/access.log", 5, "access_log: there is no directory"},
        {"shards: auto", "access_log: /tmp", 5, "access_log: /tmp is a directory, not a file"},
    };
    ASSERT_PROBLEMS(changes);
}

/* The text between backticks at the front of a cell, or what is there without them; `*rest` is behind it. */
static void take_cell_value(const char **rest, char *value, size_t size) {
    const char *from = *rest + (**rest == '`');
    size_t length = strcspn(from, "` ");
    cr_assert_lt(length, size, "%.100s", *rest);
    memcpy(value, from, length);
    value[length] = '\0';
    *rest = from + length + (from[length] == '`');
}

/* Asserts what comes of "section: {key: value}": `fragment` in the one problem, or none when it is NULL. */
static void assert_setting(const char *section, const char *key, const char *value, const char *fragment) {
    char *without = scene_replace(changes_good,
                                  "limits:\n  handshake_timeout: 5s\n  request_header_size: 32KiB\n"
                                  "  connections: 65536\ncert_cache: {entries: 5}\ntickets: {lifetime: 1h}\n",
                                  "");
    char replacement[256];
    snprintf(replacement, sizeof replacement, "%s: {%s: %s}", section, key, value);
    char *yaml = scene_replace(without, "shards: auto", replacement);
    struct config_problems problems = {0};
    struct config *config = scene_load(&changes_scene, yaml, &problems);
    if (fragment == NULL) {
        cr_expect_not_null(config, "%s: %s", replacement, problems.count > 0 ? problems.items[0].message : "");
    } else {
        cr_expect(config == NULL && strstr(problems.items[0].message, fragment) != NULL, "%s: %s, expected %s", replacement,
                  config == NULL ? problems.items[0].message : "no problem", fragment);
    }
    if (config != NULL) {
        config_release(config);
    }
    config_problems_free(&problems);
    free(yaml);
    free(without);
}

/* Checks a row of the contract such as "| `limits.idle_timeout` | duration | `60s` | `100ms` to `24h` | ...". */
static bool check_row(const char *row) {
    char section[64];
    char key[64];
    char type[64];
    if (sscanf(row, "| `%63[a-z_].%63[a-z_]` | %63[a-z]", section, key, type) != 3 || strcmp(section, "timeouts") == 0 ||
        strcmp(section, "retry") == 0 ||
        strcmp(section, "health") == 0 || /* a host's: test_origins.c, test_choice.c, test_health.c */
        (strcmp(type, "number") != 0 && strcmp(type, "duration") != 0 && strcmp(type, "size") != 0)) {
        return false;
    }
    const char *cell = row;
    for (unsigned i = 0; i < 3; i++) {
        cell = strchr(cell + 1, '|');
        cr_assert_not_null(cell, "%.100s", row);
    }
    cell += 2;
    char least[32];
    take_cell_value(&cell, least, sizeof least);
    cr_assert_eq(strncmp(cell, " to ", 4), 0, "%.100s", row);
    cell += 4;
    char most[32];
    take_cell_value(&cell, most, sizeof most);
    uint64_t number = 0;
    bool is_duration = strcmp(type, "duration") == 0;
    cr_assert(is_duration ? units_parse_duration(most, &number) : units_parse_size(most, &number), "%.100s", row);
    char beyond[64];
    snprintf(beyond, sizeof beyond, "%llu%s", (unsigned long long)number + 1, is_duration ? "ms" : "");
    char range[320];
    snprintf(range, sizeof range, "%s.%s must be a %s from %s to %s, not", section, key, type, least, most);
    assert_setting(section, key, least, NULL);
    assert_setting(section, key, most, NULL);
    assert_setting(section, key, beyond, range);
    return true;
}

static char *read_contract(void) {
    struct bytes content;
    struct error error;
    cr_assert_eq(file_read(TEST_DOCS "/contract.md", 1 << 20, &content, &error), 0, "%s", error.text);
    char *text = malloc(content.size + 1);
    cr_assert_not_null(text);
    memcpy(text, content.data, content.size);
    text[content.size] = '\0';
    file_content_free(&content);
    return text;
}

Test(settings, the_contract_has_the_range_of_each_number, .init = changes_set_up, .fini = changes_tear_down) {
    char *contract = read_contract();
    unsigned rows = 0;
    for (const char *row = contract; row != NULL; row = strchr(row, '\n')) {
        row += *row == '\n';
        rows += check_row(row);
    }
    cr_expect_geq(rows, 15);
    free(contract);
}

/* The list of a section's keys comes from the problem that an unknown one is. */
Test(settings, the_contract_has_each_key, .init = changes_set_up, .fini = changes_tear_down) {
    static const char *const sections[] = {"limits", "admission"};
    char *contract = read_contract();
    for (size_t i = 0; i < ARRAY_LENGTH(sections); i++) {
        struct config_problems problems = {0};
        char yaml[64];
        snprintf(yaml, sizeof yaml, "%s: {q: 1}\n", sections[i]);
        cr_assert_null(scene_load(&changes_scene, yaml, &problems));
        char *keys = NULL;
        for (size_t j = 0; j < problems.count && keys == NULL; j++) {
            keys = strstr(problems.items[j].message, "; its keys are ");
        }
        cr_assert_not_null(keys);
        char *left;
        for (char *key = strtok_r(strstr(keys, "are ") + 4, ", ", &left); key != NULL; key = strtok_r(NULL, ", ", &left)) {
            char name[128];
            snprintf(name, sizeof name, "\n| `%s.%s` |", sections[i], key);
            cr_expect_not_null(strstr(contract, name), "docs/contract.md has no row of %s.%s", sections[i], key);
        }
        config_problems_free(&problems);
    }
    free(contract);
}

#define REDIRECT(keys)                                                                                                      \
    "  - address: 127.0.0.1:8443\n", "  - address: 127.0.0.1:8443\n  - {address: 127.0.0.1:8080, " keys "}\n"

Test(settings, listeners_that_redirect, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct change changes[] = {
        {REDIRECT("redirect: http"), 3, "redirect must be https, not http"},
        {REDIRECT("redirect: true"), 3, "redirect must be https, not true"},
        {REDIRECT("redirect: https, redirect_port: 0"), 3, "redirect_port must be a number from 1 to 65535, not 0"},
        {REDIRECT("redirect: https, redirect_port: 65536"), 3, "redirect_port must be a number from 1 to 65535"},
        {REDIRECT("redirect_port: 443"), 3, "redirect_port is for a listener with redirect: https"},
        {"  - address: 127.0.0.1:8443", "  - {address: 127.0.0.1:8443, redirect: https}", 2,
         "listen: all listeners redirect, and none is left to serve https"},
    };
    ASSERT_PROBLEMS(changes);
    char *yaml = scene_replace(changes_good, REDIRECT("redirect: https, redirect_port: 8443"));
    struct config_problems problems = {0};
    struct config *config = scene_load(&changes_scene, yaml, &problems);
    cr_assert(config != NULL, "%s", problems.count > 0 ? problems.items[0].message : "");
    cr_expect_eq(config->listen[0].redirect_port, 0);
    cr_expect_eq(config->listen[1].redirect_port, 8443);
    config_release(config);
    free(yaml);
}
