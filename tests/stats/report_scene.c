#include "report_scene.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

struct report_scene scene;

void scene_begin(void) {
    static const char *const origins[] = {"127.0.0.1:9000", "[::1]:9000"};
    static const struct term roots[] = {{"CN=\"A\"", -3, false, 0}, {"CN=B", 9, false, 0}, {"CN=B", 11, true, 0}};
    static const struct term certificates[] = {
        {"a \"quoted\".pem", -5, false, 0}, {"a-rsa.pem", 6, false, 0}, {"b.pem", 7, false, 0}};
    static const struct term lists[] = {{"CN=A", 8, false, 0}, {"CN=B", TERM_NEVER, false, 0}};
    static const struct stats_host_facts facts[] = {
        {.host = "a.example",
         .terms[STATS_CERTIFICATES] = {certificates, 2},
         .mode = "report",
         .origins = origins,
         .origin_count = 2,
         .terms[STATS_CLIENT_CAS] = {roots, 3},
         .terms[STATS_CRLS] = {lists, 2}},
        {.host = "b.example",
         .is_tcp = true,
         .terms[STATS_CERTIFICATES] = {&certificates[2], 1},
         .terms[STATS_ORIGIN_CAS] = {&roots[1], 1},
         .terms[STATS_ORIGIN_CERTIFICATES] = {&certificates[1], 1},
         .origins = &origins[1],
         .origin_count = 1,
         .probed = true,
         .required = true},
    };
    cr_assert_eq(stats_create(&scene.stats, 2), 0);
    struct stats_hosts *hosts = stats_hosts_create(2, facts, 2, NULL);
    stats_set_hosts(&scene.stats, hosts);
    stats_hosts_release(hosts);
    scene.stats.version = "1.2.3";
    scene.stats.started_s = 40;
    cr_assert_eq(sampler_create(&scene.sampler, &scene.stats, 1000, 50), 0);
}

void scene_end(void) {
    sampler_destroy(&scene.sampler);
    stats_destroy(&scene.stats);
}

void scene_expect(const char *part) {
    size_t size;
    char *document = stats_render_json(&scene.stats, &scene.sampler, &size);
    cr_assert_not_null(document);
    cr_expect_not_null(memmem(document, size, part, strlen(part)), "%s in %.*s", part, (int)size, document);
    free(document);
}
