#include "changes.h"
#include "config/networks.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define AT        "- address: 127.0.0.1:8443"
#define SET(list) AT "\n    proxy_protocol: " list
#define NAME      "proxy_protocol"

Test(networks, what_is_wrong, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct change changes[] = {
        {AT, SET("10.0.0.0/8"), 3, NAME " must be a list"},
        {AT, SET("[]"), 3, NAME},
        {AT, SET("true"), 3, NAME " must be a list"},
        {AT, SET("[10.0.0.0/8, 10.0.0.1/8]"), 3, NAME ": \"10.0.0.1/8\" has bits set behind its length"},
        {AT, SET("[balancer.example]"), 3, "is neither an IPv4 nor an IPv6 network"},
        {AT, SET("[10]"), 3, NAME " must be a string"},
        {AT, AT "\n    proxy_protocols: [10.0.0.0/8]", 3, "unknown key \"proxy_protocols\" in a listener"},
        {"shards: auto", "admission: {allow: [10.0.0.1/8]}", 5, "admission.allow: \"10.0.0.1/8\" has bits set"},
    };
    ASSERT_PROBLEMS(changes);
}

Test(networks, are_so_many_at_most, .init = changes_set_up, .fini = changes_tear_down) {
    enum { MOST = 256 };
    char many[16 * (MOST + 2)] = SET("[10.0.0.0");
    for (size_t i = 1; i <= MOST; i++) {
        size_t size = strlen(many);
        snprintf(many + size, sizeof many - size, ", 10.0.%zu.%zu", i / 256, i % 256);
    }
    size_t end = strlen(many);
    snprintf(many + end, sizeof many - end, "]");
    changes_assert_problem(&(struct change){AT, many, 3, NAME " has more than 256 items"});
}

/* An address that is wrong does not hide what is wrong behind it. */
Test(networks, are_read_whatever_the_address_is, .init = changes_set_up, .fini = changes_tear_down) {
    char *yaml = scene_replace(changes_good, AT, "- address: localhost:8443\n    proxy_protocol: [10.0.0.0/8, x]");
    struct config_problems problems = {0};
    cr_assert_null(scene_load(&changes_scene, yaml, &problems));
    cr_expect_eq(problems.count, 2);
    config_problems_free(&problems);
    free(yaml);
}

Test(networks, belong_to_their_listener, .init = changes_set_up, .fini = changes_tear_down) {
    char *yaml = scene_replace(changes_good, AT,
                               "- {address: '127.0.0.1:8442', proxy_protocol: [10.0.0.0/8, '2001:db8::/32']}\n  " AT);
    struct config_problems problems = {0};
    struct config *config = scene_load(&changes_scene, yaml, &problems);
    cr_assert_not_null(config, "%s", problems.count > 0 ? problems.items[0].message : "");
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a010203)};
    cr_assert_eq(config->listen_count, 2);
    cr_expect_eq(config->listen[0].proxy_count, 2);
    cr_expect(prefix_any_covers(config->listen[0].proxies, 2, (struct sockaddr *)&in));
    in.sin_addr.s_addr = htonl(0x0b010203);
    cr_expect_not(prefix_any_covers(config->listen[0].proxies, 2, (struct sockaddr *)&in));
    cr_expect_eq(config->listen[1].proxy_count, 0);
    config_release(config);
    free(yaml);
}
