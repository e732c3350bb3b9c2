#include "changes.h"
#include "config/warnings_server.h"

#include <criterion/criterion.h>
#include <sys/stat.h>

Test(warnings_server, of_the_chain, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct change changes[] = {
        {"  - name: api.example.com", "  - name: example.org", 15,
         "is not for the name \"example.org\": clients refuse it; it is for \"api.example.com\", \"*.example.com\""},
        {"  - name: api.example.com", "  - name: www.example.com", 0, NULL},
        {"\"*.example.com\"", "'*.api.example.com'", 30, "is not for the name \"*.api.example.com\""},
    };
    ASSERT_WARNINGS(changes);
}

/* Joins files of the scene. */
static void join(const char *name, const char *const *parts, size_t count) {
    size_t size = 0;
    char content[16384];
    for (size_t i = 0; i < count; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/%s", changes_scene.folder, parts[i]);
        FILE *file = fopen(path, "r");
        cr_assert_not_null(file);
        size += fread(content + size, 1, sizeof content - size, file);
        fclose(file);
    }
    scene_write(&changes_scene, name, content, size);
}

Test(warnings_server, of_what_is_missing_or_out_of_order, .init = changes_set_up, .fini = changes_tear_down) {
    join("odd.pem", (const char *const[]){"leaf.pem", "root.pem", "server.pem"}, 3);
    join("superfluous.pem", (const char *const[]){"server.pem", "root2.pem"}, 2);
    join("with-root.pem", (const char *const[]){"server.pem", "root.pem"}, 2);
    static const struct change changes[] = {
        {"    certificate: server.pem", "    certificate: leaf.pem", 15,
         "leaf.pem has no certificate of its issuer CN=intermediate,O=Sallyport tests: clients refuse it unless"},
        {"    certificate: server.pem", "    certificate: odd.pem", 15,
         "odd.pem: certificate 2 of the chain has not issued the one before it"},
        {"    certificate: server.pem", "    certificate: superfluous.pem", 15, "certificate 3 of the chain has not issued"},
        {"    certificate: server.pem", "    certificate: with-root.pem", 0, NULL},
    };
    ASSERT_WARNINGS(changes);
}

Test(warnings_server, of_a_key_that_others_reach, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct {
        mode_t mode;
        const char *fragment;
    } cases[] = {
        {0400, NULL},
        {0440, NULL},
        {0644, "open.key can be read by other users of this machine (mode 0644): chmod g-w,o= /tmp/"},
        {0604, "can be read by other users"},
        {0620, "can be changed by other users of this machine (mode 0620)"},
        {0602, "can be changed by other users"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        join("open.key", (const char *const[]){"server.key"}, 1);
        char path[256];
        snprintf(path, sizeof path, "%s/open.key", changes_scene.folder);
        cr_assert_eq(chmod(path, cases[i].mode), 0);
        changes_assert_warning(&(struct change){"    key: own.key", "    key: open.key", 16, cases[i].fragment});
        cr_assert_eq(chmod(path, 0600), 0);
    }
}
