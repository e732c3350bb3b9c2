#include "changes.h"
#include "config/resolver.h"

#include <criterion/criterion.h>
#include <stdlib.h>

Test(resolver, servers, .init = changes_set_up, .fini = changes_tear_down) {
    struct config_problems problems = {0};
    char *yaml = scene_replace(changes_good, "hosts:", "resolver: {servers: [\"127.0.0.1:5353\", \"[::1]:53\"]}\nhosts:");
    struct config *config = scene_load(&changes_scene, yaml, &problems);
    cr_assert_not_null(config);
    cr_assert_str_eq(config->dns_servers, "127.0.0.1:5353,[::1]:53");
    config_release(config);
    free(yaml);
    config = scene_load(&changes_scene, changes_good, &problems);
    cr_assert_not_null(config);
    cr_assert_null(config->dns_servers);
    config_release(config);
}

/* As many as may be, each as long as an address can be. */
Test(resolver, the_longest_list, .init = changes_set_up, .fini = changes_tear_down) {
    static const char longest[] = "\"[1111:2222:3333:4444:5555:6666:123.123.123.123]:65535\"";
    char replacement[1024] = "resolver: {servers: [";
    for (int i = 0; i < RESOLVER_SERVERS_MAX; i++) {
        strcat(strcat(replacement, i == 0 ? "" : ", "), longest);
    }
    strcat(replacement, "]}\nhosts:");
    struct config_problems problems = {0};
    char *yaml = scene_replace(changes_good, "hosts:", replacement);
    struct config *config = scene_load(&changes_scene, yaml, &problems);
    cr_assert_not_null(config);
    cr_assert_eq(strlen(config->dns_servers), RESOLVER_SERVERS_MAX * (sizeof longest - 2) - 1);
    config_release(config);
    free(yaml);
}

Test(resolver, faults, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct change changes[] = {
        {"hosts:", "resolver: 127.0.0.1\nhosts:", 12, "resolver must be a mapping"},
        {"hosts:", "resolver: {}\nhosts:", 12, "servers"},
        {"hosts:", "resolver: {servers: []}\nhosts:", 12, "resolver.servers"},
        {"hosts:", "resolver: {servers: [\"10.0.0.1:53\"], ttl: 1s}\nhosts:", 12, "ttl"},
        {"hosts:", "resolver: {servers: [127.0.0.1]}\nhosts:", 12, "server \"127.0.0.1\": has no port"},
        {"hosts:", "resolver: {servers: [\"ns.example.com:53\"]}\nhosts:", 12, "write the address in digits, not a name"},
        {"hosts:",
         "resolver: {servers: [\"10.0.0.1:1\", \"10.0.0.1:2\", \"10.0.0.1:3\", \"10.0.0.1:4\", \"10.0.0.1:5\", "
         "\"10.0.0.1:6\", "
         "\"10.0.0.1:7\", \"10.0.0.1:8\", \"10.0.0.1:9\"]}\nhosts:",
         12, "resolver.servers has more than 8 servers"},
    };
    ASSERT_PROBLEMS(changes);
}
