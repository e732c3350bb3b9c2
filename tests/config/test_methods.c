#include "changes.h"
#include "config/methods.h"
#include "http/syntax.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const char place[] = "    origin:\n";

static struct config *load(const char *methods) {
    struct config_problems problems = {0};
    char replacement[256];
    snprintf(replacement, sizeof replacement, "%s%s", methods, place);
    char *yaml = scene_replace(changes_good, place, replacement);
    struct config *config = scene_load(&changes_scene, yaml, &problems);
    cr_assert(config != NULL && problems.count == 0, "%s: %s", methods,
              problems.count == 0 ? "" : problems.items[0].message);
    config_problems_free(&problems);
    free(yaml);
    return config;
}

static bool takes(const struct config *config, const char *method) {
    return methods_take(&config->hosts[0], bytes_of_string(method));
}

Test(methods, absent_is_all_but_two, .init = changes_set_up, .fini = changes_tear_down) {
    struct config *config = load("");
    cr_assert(takes(config, "GET") && takes(config, "get") && takes(config, "BREW") && takes(config, "OPTIONS"));
    cr_assert(!takes(config, "TRACE") && !takes(config, "CONNECT"));
    cr_assert_str_eq(methods_allowed(&config->hosts[0]), "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    config_release(config);
}

Test(methods, a_list_is_all_that_is_taken, .init = changes_set_up, .fini = changes_tear_down) {
    struct config *config = load("    methods: [GET, POST, X-y]\n");
    cr_assert(takes(config, "GET") && takes(config, "POST") && takes(config, "X-y"));
    cr_assert(!takes(config, "HEAD") && !takes(config, "get") && !takes(config, "X-Y") && !takes(config, "PO") &&
              !takes(config, "POSTS") && !takes(config, "") && !takes(config, "GET,"));
    cr_assert_str_eq(methods_allowed(&config->hosts[0]), "GET, POST, X-y");
    cr_assert(methods_take(&config->hosts[1], bytes_of_string("HEAD")), "another host has its own");
    config_release(config);
}

Test(methods, problems, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct change changes[] = {
        {"    origin:\n", "    methods: []\n    origin:\n", 28, "methods"},
        {"    origin:\n", "    methods: GET\n    origin:\n", 28, "methods"},
        {"    origin:\n", "    methods: [GET, 'G T']\n    origin:\n", 28, "\"G T\" is no token"},
        {"    origin:\n", "    methods: ['GET,POST']\n    origin:\n", 28, "is no token"},
        {"    origin:\n", "    methods: [GET, TRACE]\n    origin:\n", 28, "TRACE is never relayed"},
        {"    origin:\n", "    methods: [CONNECT]\n    origin:\n", 28, "CONNECT is never relayed"},
        {"    origin:\n", "    methods: [GET,\n      POST, GET]\n    origin:\n", 29, "GET is given twice"},
        {"    origin:\n", "    methods: [5]\n    origin:\n", 28, "a method"},
    };
    ASSERT_PROBLEMS(changes);
}

Test(methods, bounds, .init = changes_set_up, .fini = changes_tear_down) {
    char long_name[256];
    memset(long_name, 'M', sizeof long_name);
    snprintf(long_name + HTTP_METHOD_MAX + 1, 8, "]\n");
    char replacement[1200];
    snprintf(replacement, sizeof replacement, "    methods: [%s%s", long_name, place);
    changes_assert_problem(&(struct change){place, replacement, 28, "of at most 128 characters"});
    for (int count = METHODS_MAX; count <= METHODS_MAX + 1; count++) {
        int size = snprintf(replacement, sizeof replacement, "    methods: [M");
        for (int i = 1; i < count; i++) {
            size += snprintf(replacement + size, sizeof replacement - (size_t)size, ", M%d", i);
        }
        snprintf(replacement + size, sizeof replacement - (size_t)size, "]\n");
        if (count > METHODS_MAX) {
            strcat(replacement, place);
            changes_assert_problem(&(struct change){place, replacement, 28, "more than 64 names"});
        }
    }
}
