#include "base/check.h"
#include "config/lookup.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct config_host hosts[] = {
    {.name = "www.example.com"},
    {.name = "*.example.com"},
    {.name = "api.example.com"},
    {.name = "*.a.example.com"},
    {.name = "localhost"},
    {.name = "example.com"},
    {.name = "*.test", .is_default = true},
    {.name = NULL},
};

static struct config make(void) {
    struct config config = {.hosts = hosts, .host_count = ARRAY_LENGTH(hosts)};
    for (size_t i = 0; i < ARRAY_LENGTH(hosts); i++) {
        hosts[i].index = (uint32_t)i;
    }
    lookup_build(&config);
    return config;
}

static void discard(struct config *config) {
    free(config->exact);
    free(config->wildcards);
}

static void assert_found(const struct config *config, const char *name, const char *expected) {
    const struct config_host *host = config_find_host(config, name);
    if (expected == NULL) {
        cr_assert_null(host, "%s gave %s", name, host->name);
    } else {
        cr_assert(host != NULL && strcmp(host->name, expected) == 0, "%s", name);
    }
}

Test(lookup, exact_first_then_one_label) {
    struct config config = make();
    assert_found(&config, "www.example.com", "www.example.com");
    assert_found(&config, "api.example.com", "api.example.com");
    assert_found(&config, "other.example.com", "*.example.com");
    assert_found(&config, "a.example.com", "*.example.com");
    assert_found(&config, "x.a.example.com", "*.a.example.com");
    assert_found(&config, "example.com", "example.com");
    assert_found(&config, "localhost", "localhost");
    assert_found(&config, "x.test", "*.test");
    discard(&config);
}

Test(lookup, nothing_else) {
    struct config config = make();
    static const char *const names[] = {"x.y.example.com", "x.y.a.example.com", "test",         ".example.com",
                                        "example.co",      "*.example.org",     "xexample.com", ".",
                                        ".test",           "api.example.com.",  "localhos",     "localhostx"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        assert_found(&config, names[i], NULL);
    }
    discard(&config);
}

Test(lookup, no_name_is_the_default_host) {
    struct config config = make();
    assert_found(&config, "", "*.test");
    hosts[6].is_default = false;
    discard(&config);
    config = make();
    assert_found(&config, "", NULL);
    discard(&config);
}

Test(lookup, nothing_is_found_among_none) {
    struct config config = {0};
    lookup_build(&config);
    assert_found(&config, "", NULL);
    assert_found(&config, "a.b", NULL);
    discard(&config);
}
