#include "changes.h"
#include "config/choice.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct config *load(const char *old, const char *new) {
    struct config_problems problems = {0};
    char *yaml = scene_replace(changes_good, old, new);
    struct config *config = scene_load(&changes_scene, yaml, &problems);
    cr_assert(config != NULL && problems.count == 0, "%s: %s", new, problems.count == 0 ? "" : problems.items[0].message);
    config_problems_free(&problems);
    free(yaml);
    return config;
}

#define PLACE "      - address: 127.0.0.1:9000"

Test(choice, absent_keys, .init = changes_set_up, .fini = changes_tear_down) {
    struct config *config = load(PLACE, PLACE);
    const struct config_host *host = &config->hosts[0];
    cr_expect_eq(host->balance, CONFIG_ROUND_ROBIN);
    cr_expect_eq(host->retry.causes, 0);
    cr_expect_eq(host->origins[0].weight, 1);
    cr_expect_eq(host->origins[0].in_flight, 0);
    cr_expect(!host->origins[0].backup);
    config_release(config);
}

Test(choice, balance, .init = changes_set_up, .fini = changes_tear_down) {
    static const char *const words[] = {"round_robin", "least_connections", "hash"};
    for (unsigned i = 0; i < ARRAY_LENGTH(words); i++) {
        char text[128];
        snprintf(text, sizeof text, "    balance: %s\n    origin:\n", words[i]);
        struct config *config = load("    origin:\n", text);
        cr_expect_eq(config->hosts[0].balance, (enum config_balance)i);
        config_release(config);
    }
}

Test(choice, retry, .init = changes_set_up, .fini = changes_tear_down) {
    struct config *config = load("    origin:\n", "    retry: {}\n    origin:\n");
    cr_expect_eq(config->hosts[0].retry.causes, CONFIG_RETRY_REFUSED | CONFIG_RETRY_TIMEOUT);
    cr_expect_eq(config->hosts[0].retry.attempts, 2);
    cr_expect_eq(config->hosts[0].retry.budget, 20);
    config_release(config);
    config = load("    origin:\n", "    retry: {on: [503, timeout, 502], attempts: 10, budget: 100%}\n    origin:\n");
    cr_expect_eq(config->hosts[0].retry.causes, CONFIG_RETRY_TIMEOUT | CONFIG_RETRY_502 | CONFIG_RETRY_503);
    cr_expect_eq(config->hosts[0].retry.attempts, 10);
    cr_expect_eq(config->hosts[0].retry.budget, 100);
    config_release(config);
}

Test(choice, keys_of_an_origin, .init = changes_set_up, .fini = changes_tear_down) {
    struct config *config = load(PLACE, "      - {address: \"127.0.0.1:9000\", weight: 256, in_flight: 1000000}\n"
                                        "      - {address: \"127.0.0.1:9001\", backup: true}\n"
                                        "      - {address: \"127.0.0.1:9002\", backup: false, in_flight: 1}");
    const struct config_origin *origins = config->hosts[0].origins;
    cr_expect(origins[0].weight == 256 && origins[0].in_flight == 1000000 && !origins[0].backup);
    cr_expect(origins[1].weight == 1 && origins[1].in_flight == 0 && origins[1].backup);
    cr_expect(origins[2].in_flight == 1 && !origins[2].backup);
    config_release(config);
}

Test(choice, problems, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct change changes[] = {
        {"    origin:\n", "    balance: random\n    origin:\n", 28,
         "balance must be round_robin, least_connections or hash, not random"},
        {"    origin:\n", "    retry: 3\n    origin:\n", 28, "retry must be a mapping"},
        {"    origin:\n", "    retry: {on: refused}\n    origin:\n", 28, "retry.on must be a list"},
        {"    origin:\n", "    retry: {on: []}\n    origin:\n", 28, "retry.on must have at least one item"},
        {"    origin:\n", "    retry: {on: [500]}\n    origin:\n", 28, "refused, timeout, 502 or 503, not 500"},
        {"    origin:\n", "    retry: {on: [502, 502]}\n    origin:\n", 28, "retry.on has 502 twice"},
        {"    origin:\n", "    retry: {attempts: 0}\n    origin:\n", 28,
         "retry.attempts must be a number from 1 to 10, not 0"},
        {"    origin:\n", "    retry: {attempts: 11}\n    origin:\n", 28, "from 1 to 10, not 11"},
        {"    origin:\n", "    retry: {budget: 0%}\n    origin:\n", 28,
         "retry.budget must be a part of the requests from 1% to 100%, not 0%"},
        {"    origin:\n", "    retry: {budget: 101%}\n    origin:\n", 28, "from 1% to 100%, not 101%"},
        {"    origin:\n", "    retry: {budget: 99999999999999999999%}\n    origin:\n", 28, "from 1% to 100%"},
        {"    origin:\n", "    retry: {budget: \"%\"}\n    origin:\n", 28, "from 1% to 100%, not %"},
        {"    origin:\n", "    retry: {budget: 20}\n    origin:\n", 28, "from 1% to 100%, not 20"},
        {"    origin:\n", "    retry: {budget: [20%]}\n    origin:\n", 28, "from 1% to 100%, not a list or mapping"},
        {"    origin:\n", "    retry: {budget: 2.5%}\n    origin:\n", 28, "from 1% to 100%, not 2.5%"},
        {"    origin:\n", "    retry: {tries: 2}\n    origin:\n", 28, "unknown key \"tries\" in retry"},
        {PLACE, "      - {address: \"127.0.0.1:9000\", weight: 0}", 29,
         "weight 0 would give the origin no requests; leave the origin out, or set backup: true"},
        {PLACE, "      - {address: \"127.0.0.1:9000\", weight: 257}", 29, "weight must be a number from 1 to 256, not 257"},
        {PLACE, "      - {address: \"127.0.0.1:9000\", backup: 1}", 29, "backup must be true or false, not 1"},
        {PLACE, "      - {address: \"127.0.0.1:9000\", in_flight: 0}", 29,
         "in_flight must be a number from 1 to 1000000, not 0"},
        {PLACE, "      - {address: \"127.0.0.1:9000\", backup: true}", 29, "each origin of this host is a backup"},
    };
    ASSERT_PROBLEMS(changes);
}
