#include "changes.h"

#include <criterion/criterion.h>

Test(config, lives_until_its_last_reference, .init = changes_set_up, .fini = changes_tear_down) {
    struct config_problems problems = {0};
    struct config *config = scene_load(&changes_scene, changes_good, &problems);
    cr_assert_not_null(config);
    cr_assert_eq(config_retain(config), config);
    config_release(config);
    cr_assert_str_eq(config->hosts[0].name, "api.example.com");
    config_release(config);
}

Test(config, modes_have_the_words_of_the_file) {
    cr_assert_str_eq(config_mode_name(CONFIG_OFF), "off");
    cr_assert_str_eq(config_mode_name(CONFIG_REPORT), "report");
    cr_assert_str_eq(config_mode_name(CONFIG_ENFORCE), "enforce");
}
