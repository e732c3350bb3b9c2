#include "changes.h"
#include "config/warnings.h"

#include <criterion/criterion.h>
#include <stdlib.h>

Test(warnings, of_addresses, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct change changes[] = {
        {"shards: auto", "shards: auto", 0, NULL},
        {"  address: 127.0.0.1:9443", "  address: 0.0.0.0:9443", 4,
         "admin.address \"0.0.0.0:9443\" is not a loopback address"},
        {"  address: 127.0.0.1:9443", "  address: '[::]:9443'", 4, "admin.address"},
        {"  address: 127.0.0.1:9443", "  address: '[::1]:9443'", 0, NULL},
        {"      - address: 127.0.0.1:9000", "      - address: 127.0.0.1:8443", 29,
         "address \"127.0.0.1:8443\" is that of a listener"},
        {"- address: 127.0.0.1:8443\n", "- address: 0.0.0.0:9000\n", 29, "address \"127.0.0.1:9000\" is that of a listener"},
        {"      - address: 127.0.0.1:9000", "      - address: 192.0.2.1:443", 29, "port 443 is that of HTTPS"},
        {"      - address: 127.0.0.1:9000", "      - address: 192.0.2.1:8443", 0, NULL},
        {"      - address: 127.0.0.1:9000", "      - address: 0.0.0.0:9000", 29,
         "address \"0.0.0.0:9000\" stands for all addresses of a machine: requests go to this one; write"},
        {"      - address: 127.0.0.1:9000", "      - address: '[::]:9000'", 29, "address \"[::]:9000\" stands for all"},
        {"      - address: 127.0.0.1:9000", "      - address: 224.0.0.1:9000", 29,
         "address \"224.0.0.1:9000\" is a multicast or broadcast address, which takes no connections"},
        {"      - address: 127.0.0.1:9000", "      - address: 255.255.255.255:9000", 29, "is a multicast or broadcast"},
        {"      - address: 127.0.0.1:9000", "      - address: '[ff02::1]:9000'", 29, "is a multicast or broadcast"},
        {"      - address: 127.0.0.1:9000", "      - address: 223.255.255.255:9000", 0, NULL},
        {"      - address: 127.0.0.1:9000", "      - address: 240.0.0.1:9000", 0, NULL},
        {"    origin:\n", "    methods: [GET, post]\n    origin:\n", 28,
         "method \"post\": letter case counts, and clients send POST: write it so"},
        {"    origin:\n", "    methods: [GET, purge, M-SEARCH]\n    origin:\n", 0, NULL},
        {"shards: auto", "access_log: off", 5, "lines go to a file of the name \"off\""},
        {"shards: auto", "access_log: '-'", 0, NULL},
        {"[{address: '[::1]:9000'}]", "[{address: '[::1]:9000'}, {address: '[::1]:443'}]", 30, "port 443"},
        {"[{address: '[::1]:9000'}]", "[{address: '[::1]:9000'}, {address: '[::1]:9000'}]", 30,
         "address \"[::1]:9000\" is listed twice: it counts once"},
        {"    origin:\n", "    health: {interval: 2s, timeout: 3s}\n    origin:\n", 28,
         "health.timeout is 3s, and health.interval 2s"},
        {"    origin:\n", "    health: {interval: 2s, timeout: 2s}\n    origin:\n", 0, NULL},
    };
    ASSERT_WARNINGS(changes);
}

#define PROXIES(address, list) "- address: 127.0.0.1:8443", "- address: " address "\n    proxy_protocol: " list

Test(warnings, of_balancers, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct change changes[] = {
        {PROXIES("127.0.0.1:8443", "[10.0.0.0/8]"), 0, NULL},
        {PROXIES("'[::]:8443'", "[10.0.0.0/8, '2001:db8::/32']"), 0, NULL},
        {PROXIES("127.0.0.1:8443", "['2001:db8::/32']"), 3,
         "proxy_protocol has no IPv4 network, but 127.0.0.1:8443 is an IPv4 address: nobody can connect"},
        {PROXIES("'[::]:8443'", "[10.0.0.0/8]"), 3, "proxy_protocol has no IPv6 network, but [::]:8443 is an IPv6 address"},
        {PROXIES("127.0.0.1:8443", "[10.0.0.0/8, 0.0.0.0/0]"), 3,
         "proxy_protocol has 0.0.0.0/0: everybody can connect with any address that they choose"},
        {PROXIES("'[::1]:8443'", "['::/0']"), 3, "proxy_protocol has ::/0"},
    };
    ASSERT_WARNINGS(changes);
}

/* Another machine may serve at the port at which this one listens on all of its addresses. */
Test(warnings, not_of_another_machine, .init = changes_set_up, .fini = changes_tear_down) {
    char *yaml = scene_replace(changes_good, "- address: 127.0.0.1:8443\n", "- address: 0.0.0.0:8443\n");
    char *both = scene_replace(yaml, "- address: 127.0.0.1:9000", "- address: 192.0.2.1:8443");
    struct config_problems problems = {0};
    struct config *config = scene_load(&changes_scene, both, &problems);
    cr_assert_not_null(config);
    for (size_t i = 0; i < config->warnings.count; i++) {
        cr_assert_null(strstr(config->warnings.items[i].message, "address"), "%s", config->warnings.items[i].message);
    }
    config_release(config);
    free(both);
    free(yaml);
}

Test(warnings, never_keep_a_file_from_being_served_and_are_not_told_of_one_that_is_not, .init = changes_set_up,
     .fini = changes_tear_down) {
    changes_assert_problem(
        &(struct change){"  address: 127.0.0.1:9443\nshards: auto", "  address: 0.0.0.0:9443\nshards: x", 5, "shards"});
}

#define REDIRECT(keys)                                                                                                      \
    "  - address: 127.0.0.1:8443\n", "  - address: 127.0.0.1:8443\n  - {address: 127.0.0.1:8080, " keys "}\n"

Test(warnings, redirects_to_nowhere, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct change changes[] = {
        {REDIRECT("redirect: https"), 3, "redirect: clients are sent to port 443, where no listener of this file serves"},
        {REDIRECT("redirect: https, redirect_port: 443"), 0, NULL},
        {REDIRECT("redirect: https, redirect_port: 8443"), 0, NULL},
        {"  - address: 127.0.0.1:8443\n",
         "  - address: '[::1]:443'\n  - {address: 127.0.0.1:8080, redirect: https}\n  - address: 127.0.0.1:8443\n", 0, NULL},
    };
    ASSERT_WARNINGS(changes);
}
