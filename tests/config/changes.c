#include "changes.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/stat.h>

const char changes_good[] = "listen:\n"                                               /* 1 */
                            "  - address: 127.0.0.1:8443\n"                           /* 2 */
                            "admin:\n"                                                /* 3 */
                            "  address: 127.0.0.1:9443\n"                             /* 4 */
                            "shards: auto\n"                                          /* 5 */
                            "limits:\n"                                               /* 6 */
                            "  handshake_timeout: 5s\n"                               /* 7 */
                            "  request_header_size: 32KiB\n"                          /* 8 */
                            "  connections: 65536\n"                                  /* 9 */
                            "cert_cache: {entries: 5}\n"                              /* 10 */
                            "tickets: {lifetime: 1h}\n"                               /* 11 */
                            "hosts:\n"                                                /* 12 */
                            "  - name: api.example.com\n"                             /* 13 */
                            "    default: true\n"                                     /* 14 */
                            "    certificate: server.pem\n"                           /* 15 */
                            "    key: server.key\n"                                   /* 16 */
                            "    client_auth:\n"                                      /* 17 */
                            "      mode: enforce\n"                                   /* 18 */
                            "      ca: [root.pem,\n"                                  /* 19 */
                            "           root2.pem]\n"                                 /* 20 */
                            "      max_depth: 4\n"                                    /* 21 */
                            "      deny: {json: deny.json}\n"                         /* 22 */
                            "    forward:\n"                                          /* 23 */
                            "      status: X-Client-Cert-Status\n"                    /* 24 */
                            "      headers:\n"                                        /* 25 */
                            "        X-Device: subject.cn\n"                          /* 26 */
                            "        X-Reason: reason\n"                              /* 27 */
                            "    origin:\n"                                           /* 28 */
                            "      - address: 127.0.0.1:9000\n"                       /* 29 */
                            "  - {name: \"*.example.com\", certificate: server.pem, " /* 30 */
                            "key: server.key, origin: [{address: '[::1]:9000'}]}\n";

struct scene changes_scene;

void changes_set_up(void) {
    scene_make(&changes_scene);
}

/* server.key as the repository has it may be readable for all. */
static void make_own_key(void) {
    char path[256];
    snprintf(path, sizeof path, "%s/server.key", changes_scene.folder);
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    char content[4096];
    size_t size = fread(content, 1, sizeof content, file);
    fclose(file);
    scene_write(&changes_scene, "own.key", content, size);
    snprintf(path, sizeof path, "%s/own.key", changes_scene.folder);
    cr_assert_eq(chmod(path, 0640), 0);
}

void changes_tear_down(void) {
    scene_remove(&changes_scene);
}

void changes_assert_problem(const struct change *change) {
    char *yaml = scene_replace(changes_good, change->find, change->replacement);
    struct config_problems problems = {0};
    struct config *config = scene_load(&changes_scene, yaml, &problems);
    cr_assert(config == NULL && problems.count > 0, "%s: nothing was found", change->replacement);
    const struct config_problem *problem = &problems.items[0];
    cr_assert_eq(problems.count, 1, "%s: also line %u: %s", change->replacement, problems.items[problems.count - 1].line,
                 problems.items[problems.count - 1].message);
    cr_assert_str_eq(problem->file, changes_scene.path);
    cr_assert(problem->line == change->line && strstr(problem->message, change->fragment) != NULL, "%s: line %u: %s",
              change->replacement, problem->line, problem->message);
    config_problems_free(&problems);
    free(yaml);
}

void changes_assert_warning(const struct change *change) {
    make_own_key();
    char *first = scene_replace(changes_good, "key: server.key", "key: own.key");
    char *both = scene_replace(first, "key: server.key", "key: own.key");
    char *yaml = scene_replace(both, change->find, change->replacement);
    struct config_problems problems = {0};
    struct config *config = scene_load(&changes_scene, yaml, &problems);
    cr_assert(config != NULL, "%s: line %u: %s", change->replacement, problems.items[0].line, problems.items[0].message);
    const struct config_problems *warnings = &config->warnings;
    const struct config_problem *last = warnings->count == 0 ? NULL : &warnings->items[warnings->count - 1];
    cr_assert_eq(warnings->count, change->fragment == NULL ? 0 : 1, "%s: %zu warnings: %s", change->replacement,
                 warnings->count, last == NULL ? "" : last->message);
    if (change->fragment != NULL) {
        cr_assert_str_eq(last->file, changes_scene.path);
        cr_assert(last->line == change->line && strstr(last->message, change->fragment) != NULL, "%s: line %u: %s",
                  change->replacement, last->line, last->message);
    }
    config_release(config);
    free(yaml);
    free(both);
    free(first);
}
