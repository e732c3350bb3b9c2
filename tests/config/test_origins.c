#include "changes.h"
#include "config/origins.h"

#include <criterion/criterion.h>
#include <stdlib.h>

Test(origins, timeouts, .init = changes_set_up, .fini = changes_tear_down) {
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
Test(origins, timeouts_of_origins, .init = changes_set_up, .fini = changes_tear_down) {
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

/* An origin is an item of the file, with all addresses that it stands for; the same text again is no further one. */
Test(origins, items, .init = changes_set_up, .fini = changes_tear_down) {
    struct config_problems problems = {0};
    char *yaml = scene_replace(changes_good, "      - address: 127.0.0.1:9000",
                               "      - address: localhost:9000\n      - address: 127.0.0.1:9001\n"
                               "      - address: localhost:9000\n      - {address: \"[::1]:9002\", timeouts: {body: 9s}}");
    struct config *config = scene_load(&changes_scene, yaml, &problems);
    cr_assert_not_null(config);
    const struct config_host *host = &config->hosts[0];
    cr_assert_eq(host->origin_count, 3);
    static const char *const texts[] = {"localhost:9000", "127.0.0.1:9001", "[::1]:9002"};
    for (size_t i = 0; i < host->origin_count; i++) {
        cr_expect_str_eq(host->origins[i].text, texts[i]);
        cr_expect_eq(host->origins[i].kind, i == 0 ? CONFIG_ORIGIN_NAME : CONFIG_ORIGIN_DIGITS);
        cr_expect_geq(host->origins[i].address_count, 1);
    }
    cr_expect_eq(host->origins[1].address_count, 1);
    cr_expect_str_eq(host->origins[1].addresses[0].text, "127.0.0.1:9001");
    expect_timeouts(&host->origins[1], 5000, 60000, 30000);
    expect_timeouts(&host->origins[2], 5000, 60000, 9000);
    config_release(config);
    free(yaml);
}

Test(origins, no_more_addresses_than_there_are_bits_for, .init = changes_set_up, .fini = changes_tear_down) {
    char many[CONFIG_ORIGIN_ADDRESSES_MAX * 48 + 1];
    size_t size = 0;
    for (int i = 0; i < CONFIG_ORIGIN_ADDRESSES_MAX; i++) {
        size += (size_t)snprintf(many + size, sizeof many - size, "      - address: 127.0.0.1:%d\n", 9000 + i);
    }
    many[size - 1] = '\0';
    struct config_problems problems = {0};
    char *yaml = scene_replace(changes_good, "      - address: 127.0.0.1:9000", many);
    struct config *config = scene_load(&changes_scene, yaml, &problems);
    cr_assert_not_null(config);
    cr_expect_eq(config->hosts[0].origin_count, CONFIG_ORIGIN_ADDRESSES_MAX);
    config_release(config);
    free(yaml);
    strcat(many, "\n      - address: 127.0.0.1:80");
    changes_assert_problem(&(struct change){"      - address: 127.0.0.1:9000", many, 29 + CONFIG_ORIGIN_ADDRESSES_MAX,
                                            "address \"127.0.0.1:80\": more than 1024 origin addresses for one host"});
}
