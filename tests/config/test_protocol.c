#include "changes.h"
#include "config/protocol.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* Of the second host, which has a line of its own. */
#define HOST "  - {name: \"*."

static struct config *load(const char *keys) {
    struct config_problems problems = {0};
    char replacement[256];
    snprintf(replacement, sizeof replacement, "  - {%sname: \"*.", keys);
    char *yaml = scene_replace(changes_good, HOST, replacement);
    struct config *config = scene_load(&changes_scene, yaml, &problems);
    cr_assert(config != NULL, "%s: %s", keys, problems.count == 0 ? "" : problems.items[0].message);
    config_problems_free(&problems);
    free(yaml);
    return config;
}

static void expect_host(const char *keys, bool is_tcp, enum config_origin_proxy proxy) {
    struct config *config = load(keys);

    cr_expect_eq(config->hosts[1].is_tcp, is_tcp, "%s", keys);
    cr_expect_eq(config->hosts[1].origin_proxy, proxy, "%s", keys);
    config_release(config);
}

Test(protocol, is_http_unless_it_is_tcp, .init = changes_set_up, .fini = changes_tear_down) {
    expect_host("", false, CONFIG_ORIGIN_PROXY_OFF);
    expect_host("protocol: http, ", false, CONFIG_ORIGIN_PROXY_OFF);
}

Test(protocol, of_tcp_tells_its_origins_who_the_client_is, .init = changes_set_up, .fini = changes_tear_down) {
    expect_host("protocol: tcp, ", true, CONFIG_ORIGIN_PROXY_V2);
    expect_host("protocol: tcp, origin_proxy_protocol: off, ", true, CONFIG_ORIGIN_PROXY_OFF);
    expect_host("protocol: tcp, origin_proxy_protocol: v1, ", true, CONFIG_ORIGIN_PROXY_V1);
    expect_host("origin_proxy_protocol: v2, protocol: tcp, timeouts: {connect: 1s, tunnel_idle: 1m}, ", true,
                CONFIG_ORIGIN_PROXY_V2);
}

Test(protocol, keys_of_http_are_problems, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct change changes[] = {
        {HOST, "  - {protocol: udp, name: \"*.", 30, "protocol must be http or tcp, not udp"},
        {HOST, "  - {protocol: tcp, forward: {status: X-S}, name: \"*.", 30, "forward does not go with protocol: tcp"},
        {HOST, "  - {protocol: tcp, request_headers: {set: {X-A: b}}, name: \"*.", 30,
         "request_headers does not go with protocol: tcp"},
        {HOST, "  - {protocol: tcp, response_headers: {remove: [X-A]}, name: \"*.", 30,
         "response_headers does not go with protocol: tcp"},
        {HOST, "  - {protocol: tcp, strict_transport_security: {max_age: 1h}, name: \"*.", 30,
         "strict_transport_security does not go with protocol: tcp"},
        {HOST, "  - {protocol: tcp, methods: [GET], name: \"*.", 30, "methods does not go with protocol: tcp"},
        {HOST, "  - {protocol: tcp, http2: false, name: \"*.", 30, "http2 does not go with protocol: tcp"},
        {HOST, "  - {protocol: tcp, origin_pool: off, name: \"*.", 30, "origin_pool does not go with protocol: tcp"},
        {HOST, "  - {protocol: tcp, origin_protocol: http1, name: \"*.", 30,
         "origin_protocol does not go with protocol: tcp"},
        {HOST, "  - {protocol: tcp, retry: {attempts: 1}, name: \"*.", 30,
         "retry does not go with protocol: tcp, where there are no requests"},
        {HOST, "  - {protocol: tcp, health: {path: /up}, name: \"*.", 30, "health.path does not go with protocol: tcp"},
        {HOST, "  - {protocol: tcp, timeouts: {response: 1s}, name: \"*.", 30,
         "timeouts.response does not go with protocol: tcp, where there are no answers"},
        {HOST, "  - {protocol: tcp, timeouts: {body: 1s}, name: \"*.", 30,
         "timeouts.tunnel_idle ends what is silent; leave"},
        {"[{address: '[::1]:9000'}]}", "[{address: '[::1]:9000', timeouts: {body: 1s}}], protocol: tcp}", 30,
         "an origin's timeouts.body does not go with protocol: tcp"},
        {"    forward:\n      status: X-Client-Cert-Status\n      headers:\n        X-Device: subject.cn\n"
         "        X-Reason: reason\n",
         "    protocol: tcp\n", 22, "client_auth.deny does not go with protocol: tcp"},
    };
    ASSERT_PROBLEMS(changes);
}
