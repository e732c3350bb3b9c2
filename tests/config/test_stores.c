#include "changes.h"
#include "config/stores.h"

#include <criterion/criterion.h>

Test(stores, problems_of_each_file_have_its_line, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct change changes[] = {
        {"[root.pem,\n           root2.pem]", "[root.pem,\n           missing.pem]", 20, "cannot be opened"},
        {"[root.pem,\n           root2.pem]", "[root.pem,\n           leaf.pem]", 20, "client_auth.ca: "},
        {"[root.pem,\n           root2.pem]", "[root.pem,\n           garbage.pem]", 20, "garbage.pem"},
        {"[root.pem,\n           root2.pem]", "root.pem", 19, "must be a list"},
    };
    ASSERT_PROBLEMS(changes);
}

Test(stores, all_files_go_into_one_store, .init = changes_set_up, .fini = changes_tear_down) {
    struct config_problems problems = {0};
    struct config *config = scene_load(&changes_scene, changes_good, &problems);
    cr_assert_not_null(config);
    cr_assert_eq(trust_count(config->hosts[0].trust), 2);
    config_release(config);
}
