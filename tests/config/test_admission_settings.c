#include "changes.h"
#include "config/admission_settings.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>

#define AT  "shards: auto"
#define SET "admission: "

Test(admission_settings, what_is_wrong, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct change changes[] = {
        {AT, SET "[]", 5, "admission must be a mapping"},
        {AT, SET "{deny: []}", 5, "deny"},
        {AT, SET "{allow: 10.0.0.0/8}", 5, "admission.allow must be a list"},
        {AT, SET "{allow: []}", 5, "admission.allow"},
        {AT, SET "{allow: [10.0.0.0/8, 10.0.0.1/8]}", 5, "admission.allow: \"10.0.0.1/8\" has bits set behind its length"},
        {AT, SET "{allow: [balancer.example]}", 5, "is neither an IPv4 nor an IPv6 network"},
        {AT, SET "{allow: [10]}", 5, "must be a string"},
        {AT, SET "{source_rate: -1}", 5, "from 0 to 100000, not -1"},
        {AT, SET "{source_rate: 100001}", 5, "not 100001"},
        {AT, SET "{source_burst: 0}", 5, "from 1 to 1000000, not 0"},
        {AT, SET "{source_connections: 65536}", 5, "from 0 to 65535, not 65536"},
        {AT, SET "{certificate_connections: 65536}", 5, "from 0 to 65535, not 65536"},
        {AT, SET "{certificate_rate: 100001}", 5, "from 0 to 100000, not 100001"},
        {AT, SET "{certificate_sources: -1}", 5, "from 0 to 65535, not -1"},
    };
    ASSERT_PROBLEMS(changes);
}

static struct config *load(const char *section) {
    struct config_problems problems = {0};
    char *yaml = scene_replace(changes_good, AT, section);
    struct config *config = scene_load(&changes_scene, yaml, &problems);
    cr_assert(config != NULL, "%s", problems.count > 0 ? problems.items[0].message : "");
    config_problems_free(&problems);
    free(yaml);
    return config;
}

Test(admission_settings, what_is_set_and_what_is_not, .init = changes_set_up, .fini = changes_tear_down) {
    struct config *config = load(AT);
    cr_expect_eq(config->admission.allow_count, 0);
    cr_expect_eq(config->admission.source.rate, 200);
    cr_expect_eq(config->admission.source.burst, 2000);
    cr_expect_eq(config->admission.source.connections, 4096);
    cr_expect_eq(config->admission.holder.connections, 256);
    cr_expect_eq(config->admission.holder.rate, 1000);
    cr_expect_eq(config->admission.holder.sources, 64);
    config_release(config);

    config = load(SET "{certificate_connections: 0, certificate_rate: 7, certificate_sources: 65535}");
    cr_expect_eq(config->admission.holder.connections, 0);
    cr_expect_eq(config->admission.holder.rate, 7);
    cr_expect_eq(config->admission.holder.sources, 65535);
    config_release(config);

    config = load(SET "{allow: [10.0.0.0/8, '2001:db8::/32'], source_rate: 0, source_burst: 7, source_connections: 0}");
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a010203)};
    cr_assert_eq(config->admission.allow_count, 2);
    cr_expect(prefix_covers(&config->admission.allow[0], (struct sockaddr *)&in));
    cr_expect_not(prefix_covers(&config->admission.allow[1], (struct sockaddr *)&in));
    cr_expect_eq(config->admission.source.rate, 0);
    cr_expect_eq(config->admission.source.burst, 7);
    cr_expect_eq(config->admission.source.connections, 0);
    config_release(config);
}
