#include "changes.h"
#include "config/health.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define WITH(health) "  - {name: \"*.", "  - {health: " health ", name: \"*."

Test(health, problems, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct change changes[] = {
        {WITH("on"), 30, "health must be a mapping"},
        {WITH("{url: /healthz}"), 30, "url"},
        {WITH("{path: healthz}"), 30, "health.path must begin with \"/\""},
        {WITH("{path: \"/a b\"}"), 30, "health.path must begin with \"/\""},
        {WITH("{path: \"/a#b\"}"), 30, "health.path must begin with \"/\""},
        {WITH("{path: 5}"), 30, "health.path must be a string"},
        {WITH("{interval: 99ms}"), 30, "health.interval must be a duration from 100ms to 1h, not 99ms"},
        {WITH("{interval: 61m}"), 30, "from 100ms to 1h, not 61m"},
        {WITH("{timeout: 9ms}"), 30, "health.timeout must be a duration from 10ms to 1m, not 9ms"},
        {WITH("{timeout: 61s}"), 30, "from 10ms to 1m, not 61s"},
        {WITH("{rise: 0}"), 30, "health.rise must be a number from 1 to 100, not 0"},
        {WITH("{fall: 101}"), 30, "health.fall must be a number from 1 to 100, not 101"},
        {WITH("{status: [200]}"), 30, "without health.path nothing is asked"},
        {WITH("{path: /, status: 200}"), 30, "health.status must be a list"},
        {WITH("{path: /, status: [199]}"), 30, "health.status must have statuses from 200 to 599"},
        {WITH("{path: /, status: [600]}"), 30, "health.status must have"},
        {WITH("{path: /, status: [200-]}"), 30, "health.status must have"},
        {WITH("{path: /, status: [399-200]}"), 30, "health.status must have"},
        {WITH("{path: /, status: [200-299-399]}"), 30, "health.status must have"},
        {WITH("{path: /, status: [2000]}"), 30, "health.status must have"},
        {WITH("{path: /, status: [2xx]}"), 30, "health.status must have"},
        {WITH("{path: /, status: [[200]]}"), 30, "health.status must have"},
        {WITH("{path: /, status: [200,201,202,203,204,205,206,207,208,209,210,211,212,213,214,215,216]}"), 30,
         "health.status has more than 16 items"},
        {WITH("{path: /}, protocol: tcp"), 30, "health.path does not go with protocol: tcp"},
        {"  - {name: \"*.", "  - {required: 1, name: \"*.", 30, "required must be true or false"},
    };
    ASSERT_PROBLEMS(changes);
}

static struct config *load(const char *health) {
    struct config_problems problems = {0};
    char text[512];
    snprintf(text, sizeof text, "  - {%s, name: \"*.", health);
    char *yaml = scene_replace(changes_good, "  - {name: \"*.", text);
    struct config *config = scene_load(&changes_scene, yaml, &problems);
    cr_assert_not_null(config, "%s: %s", health, problems.count > 0 ? problems.items[0].message : "");
    free(yaml);
    return config;
}

Test(health, defaults, .init = changes_set_up, .fini = changes_tear_down) {
    struct config *config = load("health: {path: /healthz}");
    const struct config_health *health = config->hosts[1].health;
    cr_expect_null(config->hosts[0].health);
    cr_expect_str_eq(health->path, "/healthz");
    cr_expect_eq(health->interval_ms, 5000);
    cr_expect_eq(health->timeout_ms, 2000);
    cr_expect_eq(health->rise, 2);
    cr_expect_eq(health->fall, 3);
    cr_expect(health_takes_status(health, 200) && health_takes_status(health, 399));
    cr_expect_not(health_takes_status(health, 199) || health_takes_status(health, 400));
    cr_expect_not(config->hosts[1].required);
    config_release(config);
}

Test(health, a_connection_is_enough_without_a_path, .init = changes_set_up, .fini = changes_tear_down) {
    struct config *config = load("health: {}, required: true");
    cr_expect_null(config->hosts[1].health->path);
    cr_expect_eq(config->hosts[1].health->status_count, 0);
    cr_expect(config->hosts[1].required);
    config_release(config);
}

Test(health, the_origins_of_a_required_host_are_probed_in_any_case, .init = changes_set_up, .fini = changes_tear_down) {
    struct config *config = load("required: true");
    cr_expect(config->hosts[1].required);
    cr_assert_not_null(config->hosts[1].health);
    cr_expect_null(config->hosts[1].health->path);
    cr_expect_eq(config->hosts[1].health->interval_ms, 5000);
    config_release(config);
    config = load("required: false");
    cr_expect_null(config->hosts[1].health);
    config_release(config);
}

Test(health, statuses_are_numbers_and_ranges, .init = changes_set_up, .fini = changes_tear_down) {
    struct config *config = load("health: {path: \"/status?full=1\", interval: 100ms, timeout: 1m, rise: 1, fall: 100, "
                                 "status: [204, 500-599, \"401\"]}");
    const struct config_health *health = config->hosts[1].health;
    static const unsigned good[] = {204, 401, 500, 503, 599};
    static const unsigned bad[] = {200, 203, 205, 400, 402, 499};
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
        cr_expect(health_takes_status(health, good[i]), "%u", good[i]);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        cr_expect_not(health_takes_status(health, bad[i]), "%u", bad[i]);
    }
    cr_expect_eq(health->interval_ms, 100);
    cr_expect_eq(health->timeout_ms, 60000);
    cr_expect_eq(health->rise, 1);
    cr_expect_eq(health->fall, 100);
    config_release(config);
}

Test(health, the_same_is_asked_whatever_the_times, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        {"health: {path: /a}", "health: {path: /a, interval: 1s, timeout: 1s, rise: 5, fall: 5, status: [200-399]}", true},
        {"health: {}", "health: {interval: 1s}", true},
        {"health: {}", "health: {path: /a}", false},
        {"health: {path: /a}", "health: {path: /b}", false},
        {"health: {path: /a}", "health: {path: /a, status: [200-299]}", false},
        {"health: {path: /a}", "health: {path: /a, status: [200-399, 404]}", false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct config *a = load(cases[i].a);
        struct config *b = load(cases[i].b);
        cr_expect_eq(health_asks_the_same(a->hosts[1].health, b->hosts[1].health), cases[i].same, "%s", cases[i].b);
        cr_expect_eq(health_asks_the_same(b->hosts[1].health, a->hosts[1].health), cases[i].same, "%s", cases[i].b);
        config_release(a);
        config_release(b);
    }
}
