#include "changes.h"
#include "config/transport_security.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define SECURITY(value) "    origin:\n", "    strict_transport_security: " value "\n    origin:\n", 28

TestSuite(transport_security, .init = changes_set_up, .fini = changes_tear_down);

Test(transport_security, problems) {
    static const struct change changes[] = {
        {SECURITY("true"), "strict_transport_security must be a duration in whole seconds such as 1h or 365d, not true"},
        {SECURITY("31536000"), "must be a duration in whole seconds such as 1h or 365d, not 31536000"},
        {SECURITY("1500ms"), "must be a duration in whole seconds"},
        {SECURITY("3651d"), "strict_transport_security must be a duration from 0 to 3650d, not 3651d"},
        {SECURITY("{include_subdomains: true}"), "key \"max_age\" is missing in strict_transport_security"},
        {SECURITY("{max_age: 1y}"), "strict_transport_security.max_age must be a duration"},
        {SECURITY("{max_age: 365d, includeSubDomains: true}"),
         "unknown key \"includeSubDomains\" in strict_transport_security; did you mean \"include_subdomains\"?"},
        {SECURITY("{max_age: 365d, include_subdomains: 1}"), "include_subdomains must be true or false"},
        {SECURITY("{max_age: 365d, preload: true}"), "preload demands include_subdomains: true"},
        {SECURITY("{max_age: 364d, include_subdomains: true, preload: true}"), "max_age of at least 365d"},
        {SECURITY("[365d]"), "must be a duration"},
    };
    ASSERT_PROBLEMS(changes);
}

Test(transport_security, lines) {
    static const struct {
        const char *value;
        const char *line;
    } cases[] = {
        {"365d", "Strict-Transport-Security: max-age=31536000\r\n"},
        {"0", "Strict-Transport-Security: max-age=0\r\n"},
        {"{max_age: 1h}", "Strict-Transport-Security: max-age=3600\r\n"},
        {"{max_age: 30d, include_subdomains: true}", "Strict-Transport-Security: max-age=2592000; includeSubDomains\r\n"},
        {"{max_age: 730d, include_subdomains: true, preload: true}",
         "Strict-Transport-Security: max-age=63072000; includeSubDomains; preload\r\n"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char replacement[256];
        snprintf(replacement, sizeof replacement, "    strict_transport_security: %s\n    origin:\n", cases[i].value);
        char *yaml = scene_replace(changes_good, "    origin:\n", replacement);
        struct config_problems problems = {0};
        struct config *config = scene_load(&changes_scene, yaml, &problems);
        cr_assert(config != NULL, "%s", problems.count > 0 ? problems.items[0].message : "");
        struct bytes lines = config->hosts[0].answer_rules.constant;
        cr_expect(bytes_equal(lines, bytes_of_string(cases[i].line)), "%.*s", (int)lines.size, (const char *)lines.data);
        cr_expect(http_removals_has(config->hosts[0].answer_rules.removals, bytes_of_string("Strict-Transport-Security")));
        config_release(config);
        free(yaml);
    }
}
