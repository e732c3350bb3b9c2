#include "changes.h"
#include "config/client_auth.h"
#include "path/terms.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* When the first of the lists ends. */
static int64_t first_end(const struct revocation *revocation) {
    struct terms terms;
    cr_assert_eq(terms_of_lists(&terms, revocation, 0), 0);
    cr_assert_gt(terms.count, 0);
    int64_t end = terms.items[0].end;
    terms_free(&terms);
    return end;
}

Test(client_auth, problems, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct change changes[] = {
        {"      ca: [root.pem,\n           root2.pem]\n", "", 18, "client_auth.mode enforce needs client_auth.ca"},
        {"enforce\n      ca: [root.pem,\n           root2.pem]\n", "report\n", 18, "client_auth.mode report needs"},
        {"[root.pem,\n           root2.pem]", "[]", 19, "client_auth.ca must have at least one item"},
        {"      mode: enforce\n      ca: [root.pem,\n           root2.pem]", "      mode: off\n      ca: [missing.pem]", 19,
         "cannot be opened"},
        {"      max_depth: 4", "      crl: []", 21, "client_auth.crl must have at least one item"},
        {"      max_depth: 4", "      crl: [root.crl,\n         missing.crl]", 22, "cannot be opened"},
        {"      max_depth: 4", "      crl: [root.crl,\n         empty.pem]", 22, "is empty"},
        {"      max_depth: 4", "      crl: [garbage.pem]", 21, "client_auth.crl: "},
        {"      max_depth: 4", "      crl:\n        - root.crl\n        - half.crl", 23, "half.crl: "},
        {"      max_depth: 4", "      crl: [server.key]", 21, "server.key: block 1 (line 1) is a"},
        {"      max_depth: 4", "      crl: [root.crl, forged.crl]", 21, "forged.crl: block 1 (line 1): not signed"},
        {"enforce\n      ca: [root.pem,\n           root2.pem]\n      max_depth: 4", "off\n      crl: [root.crl]", 19,
         "client_auth.crl needs client_auth.ca: the roots whose lists they are"},
        {"enforce\n      ca: [root.pem,\n           root2.pem]\n      max_depth: 4",
         "off\n      ca: [root.pem]\n      crl: [forged.crl]", 20, "forged.crl: block 1 (line 1): not signed"},
        {"enforce\n      ca: [root.pem,\n           root2.pem]\n      max_depth: 4",
         "off\n      ca: [root.pem]\n      crl: [half.crl]", 20, "half.crl: "},
        {"      ca: [root.pem,\n           root2.pem]\n      max_depth: 4", "      crl: [root.crl]", 18,
         "client_auth.mode enforce needs client_auth.ca"},
        {"      max_depth: 4", "      crl: root.crl", 21, "client_auth.crl must be a list, not root.crl; write [root.crl]"},
        {"      max_depth: 4", "      crl: ['http://ca.example/root.crl']", 21, "http://ca.example/root.crl is a URL"},
        {"      max_depth: 4", "      crl_check: all", 21, "client_auth.crl_check must be chain or leaf, not all"},
        {"      max_depth: 4", "      crl_stale: ignore", 21, "client_auth.crl_stale must be reject or accept, not ignore"},
    };
    ASSERT_PROBLEMS(changes);
}

/* One host that has this for its client_auth. */
static struct config *load(struct scene *scene, const char *client_auth) {
    char *yaml = scene_replace("listen: [{address: '127.0.0.1:8443'}]\n"
                               "hosts:\n"
                               "  - name: api.example.com\n"
                               "    certificate: server.pem\n"
                               "    key: server.key\n"
                               "    client_auth: HERE\n"
                               "    origin: [{address: 127.0.0.1:9000}]\n",
                               "HERE", client_auth);
    struct config_problems problems = {0};
    struct config *config = scene_load(scene, yaml, &problems);
    cr_assert(config != NULL, "line %u: %s", problems.items[0].line, problems.items[0].message);
    free(yaml);
    return config;
}

Test(client_auth, revocation_arrives_whole) {
    struct scene scene;
    scene_make(&scene);
    struct config *config = load(&scene, "{mode: report, ca: [root.pem, root2.pem], crl: [root.crl, root2.der.crl]}");
    const struct config_host *host = &config->hosts[0];
    cr_assert_not_null(host->revocation);
    cr_assert_eq(host->policy.revocation, host->revocation);
    cr_assert_eq(host->policy.revocation_scope, REVOCATION_CHAIN);
    cr_assert_not(host->policy.accept_stale_crls);
    cr_assert_eq(revocation_count(host->revocation), 2);
    cr_assert_eq(revocation_entries(host->revocation), 1);
    cr_assert_eq(first_end(host->revocation), 4701974400, "2119-01-01, the earlier of the two");
    config_release(config);
    scene_remove(&scene);
}

Test(client_auth, scope_and_staleness_are_the_policys) {
    struct scene scene;
    scene_make(&scene);
    struct config *config =
        load(&scene, "{mode: enforce, ca: [root2.pem], crl: [ended.crl], crl_check: leaf, crl_stale: accept}");
    const struct config_host *host = &config->hosts[0];
    cr_assert_eq(host->policy.revocation_scope, REVOCATION_LEAF);
    cr_assert(host->policy.accept_stale_crls);
    cr_assert_eq(first_end(host->revocation), 1609459200, "2021-01-01: that a list has ended is no problem here");
    config_release(config);
    config = load(&scene, "{mode: enforce, ca: [root2.pem], crl: [ended.crl], crl_check: chain, crl_stale: reject}");
    cr_assert_eq(config->hosts[0].policy.revocation_scope, REVOCATION_CHAIN);
    cr_assert_not(config->hosts[0].policy.accept_stale_crls);
    config_release(config);
    scene_remove(&scene);
}

Test(client_auth, without_lists_nothing_is_checked) {
    struct scene scene;
    scene_make(&scene);
    const char *const without[] = {"{mode: report, ca: [root.pem]}", "{mode: off, ca: [root.pem], crl: [root.crl]}"};
    for (size_t i = 0; i < 2; i++) {
        struct config *config = load(&scene, without[i]);
        cr_assert_null(config->hosts[0].revocation);
        cr_assert_null(config->hosts[0].policy.revocation);
        config_release(config);
    }
    scene_remove(&scene);
}

/* A list of a CA below the roots: its name says nothing at load, and it is kept. */
Test(client_auth, lists_of_others_are_kept) {
    struct scene scene;
    scene_make(&scene);
    struct config *config = load(&scene, "{mode: report, ca: [root.pem], crl: [root.crl, root2.der.crl]}");
    cr_assert_eq(revocation_count(config->hosts[0].revocation), 2);
    config_release(config);
    scene_remove(&scene);
}
