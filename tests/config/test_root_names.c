#include "config/root_names.h"
#include "scene.h"
#include "x509/name.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct scene scene;

static void set_up(void) {
    scene_make(&scene);
}

static void tear_down(void) {
    scene_remove(&scene);
}

/* The key of each host can be read by others, as the copies of the test's data can: one warning for each. */
#define HOST(name, client_auth)                                                                                             \
    "  - name: " name "\n"                                                                                                  \
    "    certificate: server.pem\n"                                                                                         \
    "    key: server.key\n" client_auth "    origin: [{address: 127.0.0.1:9000}]\n"

#define ROOTS(files) "    client_auth: {mode: enforce, ca: [" files "]}\n"

static struct config *load(const char *yaml) {
    struct config_problems problems = {0};
    struct config *config = scene_load(&scene, yaml, &problems);
    cr_assert_not_null(config, "%s", problems.count > 0 ? problems.items[0].message : "");
    config_problems_free(&problems);
    return config;
}

Test(root_names, has_the_roots_of_all_hosts_and_no_others, .init = set_up, .fini = tear_down) {
    struct config *all = load("listen: [{address: '127.0.0.1:8443'}]\n"
                              "hosts:\n" HOST("a.example.com", ROOTS("root.pem")) HOST("b.example.com", "")
                                  HOST("c.example.com", ROOTS("root2.pem, root.pem")));
    struct config *one = load("listen: [{address: '127.0.0.1:8443'}]\n"
                              "hosts:\n" HOST("a.example.com", ROOTS("root.pem")));
    struct config *none = load("listen: [{address: '127.0.0.1:8443'}]\n"
                               "hosts:\n" HOST("a.example.com", ""));
    struct bytes second = trust_name(all->hosts[2].trust, 0);
    struct bytes first = trust_name(one->hosts[0].trust, 0);
    struct root_names *names = root_names_create(all);
    cr_assert(root_names_has(names, first));
    cr_assert(root_names_has(names, second));
    root_names_free(names);
    names = root_names_create(one);
    cr_assert(root_names_has(names, first));
    cr_assert_not(root_names_has(names, second));
    root_names_free(names);
    names = root_names_create(none);
    cr_assert_not(root_names_has(names, first));
    root_names_free(names);
    config_release(all);
    config_release(one);
    config_release(none);
}

/* Returns the bytes of names that are read while a file of so many hosts is loaded. */
static uint64_t work_of(size_t hosts) {
    char *yaml = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&yaml, &size);
    fputs("listen: [{address: '127.0.0.1:8443'}]\nhosts:\n", file);
    for (size_t i = 0; i < hosts; i++) {
        fprintf(file,
                "  - {name: h%zu.example.com, certificate: leaf.pem, key: server.key, "
                "client_auth: {mode: enforce, ca: [root2.pem]}, origin: [{address: '127.0.0.1:9000'}]}\n",
                i);
    }
    cr_assert_eq(fclose(file), 0);
    uint64_t before = name_bytes_folded();
    struct config *config = load(yaml);
    uint64_t work = name_bytes_folded() - before;
    cr_assert_geq(config->warnings.count, hosts, "each leaf stands alone, and its issuer is no root");
    config_release(config);
    free(yaml);
    return work;
}

Test(root_names, are_found_with_work_that_grows_with_the_hosts_alone, .init = set_up, .fini = tear_down) {
    uint64_t few = work_of(20);
    uint64_t many = work_of(200);
    cr_assert_gt(few, 0);
    cr_assert_leq(many, 11 * few, "%lu bytes for 20 hosts, %lu for 200", (unsigned long)few, (unsigned long)many);
}
