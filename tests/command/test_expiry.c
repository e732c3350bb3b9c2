/* Tests the lines that expiry tells of an end, and when, by a clock that is set by hand. */
#include "base/hash.h"
#include "base/term.h"
#include "command/expiry.h"
#include "config/load.h"
#include "tls/context.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DAY = 86400, NOW = 1780272000 /* 2026-06-01 */, LINES_MAX = 16 };

static struct expiry expiry;
static char lines[LINES_MAX][EXPIRY_LINE_SIZE];
static size_t count;

static void note(const char *line) {
    cr_assert_lt(count, LINES_MAX);
    cr_assert_lt(strlen(line), EXPIRY_LINE_SIZE);
    strcpy(lines[count++], line);
}

static void end(void) {
    expiry_free(&expiry);
}

TestSuite(expiry, .fini = end);

static void add(enum expiry_kind kind, const char *host, const char *name, int64_t at) {
    cr_assert_eq(expiry_add(&expiry, kind, host, name, at), 0);
    expiry_sort(&expiry);
}

/* Collects the lines that are told at `now_s`, and returns their number. */
static size_t tell(int64_t now_s) {
    count = 0;
    expiry_tell(&expiry, now_s, note);
    return count;
}

/* The configuration is loaded again, with one thing of that end in it. */
static void reload(enum expiry_kind kind, const char *name, int64_t at) {
    struct expiry before = expiry;
    expiry = (struct expiry){0};
    add(kind, "a.example", name, at);
    expiry_take_over(&expiry, &before);
    expiry_free(&before);
}

Test(expiry, each_end_is_told_a_week_before_a_day_before_and_when_it_is_there) {
    static const enum expiry_kind kinds[] = {EXPIRY_CERTIFICATE, EXPIRY_ROOT, EXPIRY_LIST, EXPIRY_LIST_ACCEPTED,
                                             EXPIRY_SIGNER};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        add(kinds[i], "a.example", "CN=A", NOW);
        cr_expect_eq(tell(NOW - 30 * DAY), 0);
        cr_expect_eq(tell(NOW - 7 * DAY - 1), 0);
        cr_expect_eq(tell(NOW - 7 * DAY), 1);
        cr_expect_not_null(strstr(lines[0], "CN=A ends at 2026-06-01T00:00:00Z, within 7 days: "), "%s", lines[0]);
        cr_expect_eq(tell(NOW - 7 * DAY + 1), 0);
        cr_expect_eq(tell(NOW - DAY - 1), 0);
        cr_expect_eq(tell(NOW - DAY), 1);
        cr_expect_not_null(strstr(lines[0], "CN=A ends at 2026-06-01T00:00:00Z, within a day: "), "%s", lines[0]);
        cr_expect_eq(tell(NOW - 1), 0);
        cr_expect_eq(tell(NOW), 0, "its last second");
        cr_expect_eq(tell(NOW + 1), 1);
        cr_expect_not_null(strstr(lines[0], "CN=A has ended, at 2026-06-01T00:00:00Z: "), "%s", lines[0]);
        cr_expect_eq(tell(NOW + 2), 0);
        cr_expect_eq(tell(NOW + 1000 * DAY), 0);
        expiry_free(&expiry);
    }
}

Test(expiry, a_line_says_which_host_and_file_and_what_comes_of_it) {
    add(EXPIRY_CERTIFICATE, "a.example", "/etc/a.pem", NOW + 1);
    cr_assert_eq(tell(NOW), 1);
    cr_expect_str_eq(lines[0],
                     "host a.example: the certificate /etc/a.pem ends at 2026-06-01T00:00:01Z, within a day: replace "
                     "the file and reload");
    add(EXPIRY_ROOT, "a.example", "CN=Devices,O=Shop", NOW + 1);
    cr_assert_eq(tell(NOW), 1);
    cr_expect_str_eq(lines[0],
                     "host a.example: the root of client_auth.ca CN=Devices,O=Shop ends at 2026-06-01T00:00:01Z, "
                     "within a day: from then on its clients are not valid: add its successor to client_auth.ca and "
                     "reload");
    add(EXPIRY_LIST, "a.example", "CN=Devices", NOW - 1);
    cr_assert_eq(tell(NOW), 1);
    cr_expect_str_eq(lines[0],
                     "host a.example: the list of client_auth.crl of CN=Devices has ended, at 2026-05-31T23:59:59Z: "
                     "clients of this issuer are not valid: replace it and reload");
    add(EXPIRY_LIST_ACCEPTED, "a.example", "CN=Devices", NOW - 1);
    cr_assert_eq(tell(NOW), 1);
    cr_expect_not_null(strstr(lines[0], "clients of this issuer are valid unless it names them, as crl_stale says"));
    add(EXPIRY_SIGNER, "a.example", "CN=Devices", NOW);
    cr_assert_eq(tell(NOW), 1);
    cr_expect_str_eq(lines[0], "host a.example: the certificate in client_auth.crl that signs lists of CN=Devices ends at "
                               "2026-06-01T00:00:00Z, within a day: the lists that it has signed do not count from then on: "
                               "get one that its successor has signed, with that certificate, and reload");
}

Test(expiry, what_is_within_a_threshold_at_the_start_is_told_at_once_and_once) {
    add(EXPIRY_LIST, "a.example", "CN=Week", NOW + 3 * DAY);
    add(EXPIRY_LIST, "a.example", "CN=Day", NOW + 100);
    add(EXPIRY_LIST, "a.example", "CN=Over", NOW - 100);
    add(EXPIRY_LIST, "a.example", "CN=Far", NOW + 100 * DAY);
    add(EXPIRY_LIST, "a.example", "CN=Never", TERM_NEVER);
    cr_expect_eq(tell(NOW), 3);
    cr_expect_eq(tell(NOW), 0);
    cr_expect_eq(tell(NOW + 101), 1);
}

Test(expiry, hosts_that_share_a_thing_share_its_line) {
    add(EXPIRY_ROOT, "c.example", "CN=A", NOW + 1);
    add(EXPIRY_ROOT, "a.example", "CN=A", NOW + 1);
    add(EXPIRY_ROOT, "b.example", "CN=A", NOW + 1);
    add(EXPIRY_ROOT, "b.example", "CN=A", NOW + 2); /* another one of the same name */
    add(EXPIRY_ROOT, "d.example", "CN=B", NOW + 1);
    cr_assert_eq(tell(NOW), 3);
    cr_expect_eq(strstr(lines[0], "host a.example and 2 others: the root of client_auth.ca CN=A ends at "), lines[0], "%s",
                 lines[0]);
    cr_expect_eq(strstr(lines[1], "host b.example: the root "), lines[1], "%s", lines[1]);
    cr_expect_eq(strstr(lines[2], "host d.example: the root "), lines[2], "%s", lines[2]);
}

Test(expiry, a_reload_that_changes_nothing_tells_nothing_but_what_has_ended) {
    add(EXPIRY_LIST, "a.example", "CN=A", NOW);
    cr_expect_eq(tell(NOW - 3 * DAY), 1);
    reload(EXPIRY_LIST, "CN=A", NOW);
    cr_expect_eq(tell(NOW - 3 * DAY), 0);
    cr_expect_eq(tell(NOW - 10), 1);
    reload(EXPIRY_LIST, "CN=A", NOW);
    cr_expect_eq(tell(NOW - 5), 0);
    cr_expect_eq(tell(NOW + 5), 1);
    reload(EXPIRY_LIST, "CN=A", NOW);
    cr_expect_eq(tell(NOW + 9), 1, "it has not helped");
    cr_expect_eq(tell(NOW + 10), 0);
}

Test(expiry, what_was_renewed_is_told_of_anew_when_its_own_time_comes) {
    add(EXPIRY_LIST, "a.example", "CN=A", NOW);
    cr_expect_eq(tell(NOW - 10), 1);
    reload(EXPIRY_LIST, "CN=A", NOW + 30 * DAY);
    cr_expect_eq(tell(NOW - 9), 0);
    cr_expect_eq(tell(NOW + 24 * DAY), 1);
    cr_expect_eq(tell(NOW + 29 * DAY + 1), 1);
    cr_expect_eq(tell(NOW + 31 * DAY), 1);
}

/* Lists that last a day, and are renewed twice a day: one line at the start, and then only if a renewal does not come. */
Test(expiry, short_lists_that_are_renewed_in_time_are_not_told_of_each_time) {
    add(EXPIRY_LIST, "a.example", "CN=A", NOW + DAY);
    cr_expect_eq(tell(NOW), 1);
    for (int64_t half = 1; half < 20; half++) {
        int64_t now_s = NOW + half * DAY / 2;
        reload(EXPIRY_LIST, "CN=A", now_s + DAY);
        cr_expect_eq(tell(now_s), 0);
        cr_expect_eq(tell(now_s + DAY / 4), 0);
    }
    cr_expect_eq(tell(NOW + 11 * DAY), 1);
}

Test(expiry, what_is_new_or_shorter_after_a_reload_is_told) {
    add(EXPIRY_LIST, "a.example", "CN=A", NOW + 30 * DAY);
    cr_expect_eq(tell(NOW), 0);
    reload(EXPIRY_LIST, "CN=A", NOW + 2 * DAY);
    cr_expect_eq(tell(NOW), 1);
    reload(EXPIRY_LIST, "CN=B", NOW + 2 * DAY);
    cr_expect_eq(tell(NOW), 1);
    reload(EXPIRY_ROOT, "CN=B", NOW + 2 * DAY);
    cr_expect_eq(tell(NOW), 1, "a root is no list");
}

Test(expiry, a_clock_that_was_wrong_and_is_set_is_believed) {
    add(EXPIRY_ROOT, "a.example", "CN=A", NOW);
    cr_expect_eq(tell(NOW + 10 * DAY), 1);
    cr_expect_eq(tell(NOW - 30 * DAY), 0);
    cr_expect_eq(tell(NOW - 6 * DAY), 1);
    cr_expect_eq(tell(NOW + 1), 1);
}

Test(expiry, the_wait_is_until_the_next_threshold_and_a_minute_at_most) {
    cr_expect_eq(expiry_wait_s(&expiry, NOW), EXPIRY_WAIT_MAX_S);
    add(EXPIRY_ROOT, "a.example", "CN=A", NOW);
    cr_expect_eq(expiry_wait_s(&expiry, NOW - 8 * DAY), EXPIRY_WAIT_MAX_S);
    cr_expect_eq(expiry_wait_s(&expiry, NOW - 7 * DAY - 5), 5);
    cr_expect_eq(expiry_wait_s(&expiry, NOW - 7 * DAY), EXPIRY_WAIT_MAX_S);
    cr_expect_eq(expiry_wait_s(&expiry, NOW - DAY - 1), 1);
    cr_expect_eq(expiry_wait_s(&expiry, NOW - 9), 10);
    cr_expect_eq(expiry_wait_s(&expiry, NOW), 1);
    cr_expect_eq(expiry_wait_s(&expiry, NOW + 1), EXPIRY_WAIT_MAX_S);
    add(EXPIRY_LIST, "a.example", "CN=A", NOW - 5);
    cr_expect_eq(expiry_wait_s(&expiry, NOW - 9), 5);
}

Test(expiry, a_long_name_is_cut_where_a_character_ends_and_the_rest_of_the_line_is_whole) {
    char name[2000];
    memset(name, 'x', 399);
    for (size_t i = 399; i + 2 < sizeof name; i += 2) {
        memcpy(name + i, "\xc3\xa4", 3);
    }
    add(EXPIRY_ROOT, "a.example", name, NOW - 1);
    cr_assert_eq(tell(NOW), 1);
    cr_expect_not_null(strstr(lines[0], "xx... has ended, at 2026-05-31T23:59:59Z: its clients are not valid: "), "%s",
                       lines[0]);
}

static const char two_hosts[] = "listen: [{address: '127.0.0.1:8443'}]\n"
                                "hosts:\n"
                                "  - name: a.example\n"
                                "    certificate: " CONFIG_DATA "/server.pem\n"
                                "    key: " CONFIG_DATA "/server.key\n"
                                "    origin: [{address: '127.0.0.1:9000'}]\n"
                                "  - name: b.example\n"
                                "    certificate: " CONFIG_DATA "/server.pem\n"
                                "    key: " CONFIG_DATA "/server.key\n"
                                "    client_auth:\n"
                                "      mode: enforce\n"
                                "      ca: [" CONFIG_DATA "/root.pem, " CONFIG_DATA "/root2.pem]\n"
                                "      crl: [" CONFIG_DATA "/root.crl]\n"
                                "      crl_stale: accept\n"
                                "    origin: [{address: '127.0.0.1:9000'}]\n";

static struct config *load(const char *text) {
    struct config_problems problems = {0};
    char path[] = "/tmp/expiry-XXXXXX";
    int file = mkstemp(path);
    cr_assert_geq(file, 0);
    cr_assert_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
    struct config *config = config_load(path, &problems);
    unlink(path);
    cr_assert_not_null(config, "%s", problems.count > 0 ? problems.items[0].message : "");
    return config;
}

Test(expiry, a_configuration_is_read_with_all_that_ends_in_it) {
    hash_init();
    cr_assert_eq(tls_library_init(), 0);
    struct config *config = load(two_hosts);
    size_t found[EXPIRY_SIGNER + 1] = {0};
    cr_assert_eq(expiry_read(&expiry, config, NOW), 0);
    for (size_t i = 0; i < expiry.count; i++) {
        const struct expiry_item *item = &expiry.items[i];
        found[item->kind]++;
        cr_expect(item->kind == EXPIRY_CERTIFICATE || strcmp(item->host, "b.example") == 0);
        cr_expect(item->kind != EXPIRY_CERTIFICATE || strcmp(item->name, CONFIG_DATA "/server.pem") == 0, "%s", item->name);
    }
    cr_expect_eq(found[EXPIRY_CERTIFICATE], 2);
    cr_expect_eq(found[EXPIRY_ROOT], trust_count(config->hosts[1].trust));
    cr_expect_geq(found[EXPIRY_ROOT], 2);
    cr_expect_eq(found[EXPIRY_LIST], 0);
    cr_expect_eq(found[EXPIRY_LIST_ACCEPTED], 1);
    config_release(config);
}
