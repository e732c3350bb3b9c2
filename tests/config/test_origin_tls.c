#include "changes.h"
#include "config/origin_tls.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define ORIGIN "      - address: 127.0.0.1:9000\n" /* line 29 */

TestSuite(origin_tls, .init = changes_set_up, .fini = changes_tear_down);

/* The good file with this behind the first host's origin. */
static struct config *load(const char *replacement) {
    struct config_problems problems = {0};
    char *yaml = scene_replace(changes_good, ORIGIN, replacement);
    struct config *config = scene_load(&changes_scene, yaml, &problems);
    cr_assert_not_null(config, "%s", problems.count > 0 ? problems.items[0].message : "");
    free(yaml);
    return config;
}

Test(origin_tls, is_off_when_absent) {
    struct config *config = load(ORIGIN);
    cr_assert_null(config->hosts[0].origin_tls);
    cr_assert_null(config->hosts[0].origins[0].tls_name);
    config_release(config);
}

Test(origin_tls, takes_names_from_addresses) {
    struct config *config = load("      - address: 127.0.0.1:9000\n"
                                 "      - address: '[::1]:9000'\n"
                                 "      - address: LOCALHOST:9001\n"
                                 "    origin_tls: {ca: [root.pem, root2.pem]}\n");
    const struct config_host *host = &config->hosts[0];
    cr_assert_eq(trust_count(host->origin_tls->trust), 2);
    cr_assert_not(host->origin_tls->only_tls13);
    cr_assert_null(host->origin_tls->certificate.credentials);
    cr_assert_str_eq(host->origins[0].tls_name, "127.0.0.1");
    cr_assert_str_eq(host->origins[1].tls_name, "::1");
    cr_assert_str_eq(host->origins[2].tls_name, "localhost");
    config_release(config);
}

Test(origin_tls, takes_one_name_for_all) {
    struct config *config = load("      - address: 127.0.0.1:9000\n"
                                 "      - address: 'unix:/run/app.sock'\n"
                                 "    origin_tls: {ca: [root.pem], name: App.Internal, certificate: server.pem,\n"
                                 "                 key: server.key, min_version: '1.3'}\n");
    const struct config_host *host = &config->hosts[0];
    cr_assert(host->origin_tls->only_tls13);
    cr_assert_not_null(host->origin_tls->certificate.credentials);
    cr_assert_str_eq(host->origins[0].tls_name, "app.internal");
    cr_assert_str_eq(host->origins[1].tls_name, "app.internal");
    config_release(config);
}

Test(origin_tls, finds_the_host_of_an_address) {
    static const struct {
        const char *address;
        const char *host;
    } cases[] = {{"a.test:1", "a.test"},
                 {"A.Test.:443", "a.test"},
                 {"10.0.0.1:80", "10.0.0.1"},
                 {"[2001:db8::1]:443", "2001:db8::1"}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char *host = origin_tls_host_of(cases[i].address);
        cr_assert_str_eq(host, cases[i].host);
        free(host);
    }
}

Test(origin_tls, problems) {
    static const struct change changes[] = {
        {ORIGIN, ORIGIN "    origin_tls: {}\n", 30, "key \"ca\" is missing in origin_tls"},
        {ORIGIN, ORIGIN "    origin_tls: {ca: []}\n", 30, "origin_tls.ca must have at least one item"},
        {ORIGIN, ORIGIN "    origin_tls:\n      ca: [root.pem,\n        missing.pem]\n", 32, "cannot be opened"},
        {ORIGIN, ORIGIN "    origin_tls: {ca: [leaf.pem]}\n", 30, "origin_tls.ca: "},
        {ORIGIN, ORIGIN "    origin_tls:\n      ca: [root.pem]\n      name: a_b..c\n", 32,
         "neither a host name nor an address"},
        {ORIGIN, ORIGIN "    origin_tls: {ca: [root.pem], certificate: server.pem}\n", 30, "certificate without key"},
        {ORIGIN, ORIGIN "    origin_tls: {ca: [root.pem], key: server.key}\n", 30, "key without certificate"},
        {ORIGIN, ORIGIN "    origin_tls:\n      ca: [root.pem]\n      certificate: server.pem\n      key: other.key\n", 33,
         "key: "},
        {ORIGIN, ORIGIN "    origin_tls: {ca: [root.pem], min_version: '1.1'}\n", 30, "min_version must be 1.2 or 1.3"},
        {ORIGIN, "      - address: 'unix:/run/app.sock'\n    origin_tls: {ca: [root.pem]}\n", 30, "origin_tls needs a name"},
        {ORIGIN, ORIGIN "    origin_tls: {ca: [root.pem], verify: false}\n", 30, "verify"},
    };
    ASSERT_PROBLEMS(changes);
}
