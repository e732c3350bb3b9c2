#include "base/check.h"
#include "http/parser.h"
#include "server/admin_answer.h"
#include "stats/hosts.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct stats stats;
static char *names[] = {(char *)"ops.test"};
static struct config config = {.admin_names = names, .admin_name_count = 1};
static struct admin_view view = {&config, &stats, false};

static void set_up(void) {
    static const struct stats_host_facts facts[] = {{.host = "a.test", .mode = "enforce"},
                                                    {.host = "*.b.test", .mode = "enforce"}};

    cr_assert_eq(stats_create(&stats, 1), 0);
    struct stats_hosts *hosts = stats_hosts_create(1, facts, ARRAY_LENGTH(facts), NULL);
    cr_assert_not_null(hosts);
    stats_set_hosts(&stats, hosts);
    stats_hosts_release(hosts);
}

static void tear_down(void) {
    stats_destroy(&stats);
}

static struct admin_answer ask(const char *method, const char *path, const char *host) {
    struct http_header headers[HTTP_HEADERS_MAX];
    struct http_message request = {.headers = headers, .headers_max = HTTP_HEADERS_MAX};
    char head[512];

    snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: %s\r\n\r\n", method, path, host);
    struct http_parser parser;
    http_parser_init_request(&parser, &request, sizeof head);
    cr_assert_eq(http_parser_head(&parser, bytes_of_string(head)), HTTP_PARSE_HEAD, "%s", head);
    struct admin_answer answer;
    admin_answer_choose(&view, &request, head, &answer);
    return answer;
}

TestSuite(admin_answer, .init = set_up, .fini = tear_down);

Test(admin_answer, names_of_the_server_alone_are_answered) {
    static const char *const own[] = {"127.0.0.1:9443", "[::1]:9443", "localhost", "localhost:9443",
                                      "ops.test",       "ops.test.",  "A.test"};
    static const char *const others[] = {"evil.test", "x.b.test", "a.test.evil.test", "127.0.0.1.evil.test"};

    for (size_t i = 0; i < ARRAY_LENGTH(own); i++) {
        cr_expect_eq(ask("GET", "/healthz", own[i]).status, 200, "%s", own[i]);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++) {
        cr_expect_neq(ask("GET", "/healthz", others[i]).status, 200, "%s", others[i]);
    }
    cr_expect_eq(ask("GET", "/healthz", "evil.test").status, 421);
}

Test(admin_answer, by_path) {
    struct admin_answer answer = ask("GET", "/metrics?x=1", "localhost");

    cr_expect(answer.status == 200 && answer.is_page && answer.page == ADMIN_PAGE_METRICS);
    answer = ask("HEAD", "/stats.json", "localhost");
    cr_expect(answer.status == 200 && answer.is_page && answer.page == ADMIN_PAGE_STATS);
    answer = ask("GET", "/", "localhost");
    cr_expect(answer.status == 200 && !answer.is_page && answer.body.size > 0);
    cr_expect_not_null(strstr(answer.fields, "Content-Security-Policy: "));
    answer = ask("GET", "/else", "localhost");
    cr_expect(answer.status == 404 && answer.fields[0] == '\0');
}

Test(admin_answer, other_methods_are_refused) {
    struct admin_answer answer = ask("DELETE", "/metrics", "localhost");

    cr_expect_eq(answer.status, 405);
    cr_expect_str_eq(answer.fields, "Allow: GET, HEAD\r\n");
    cr_expect_not(answer.is_page);
}

Test(admin_answer, a_process_that_drains_is_not_ready) {
    cr_expect_eq(ask("GET", "/readyz", "localhost").status, 200);
    view.draining = true;
    cr_expect_eq(ask("GET", "/readyz", "localhost").status, 503);
    cr_expect_eq(ask("GET", "/healthz", "localhost").status, 200);
}

/* As many hosts as told, of which each is required and has one origin, which is down. */
static void miss(size_t count) {
    static const char *const origins[] = {"127.0.0.1:1"};
    static char host_names[64][64];
    struct stats_host_facts facts[64];

    for (size_t i = 0; i < count; i++) {
        snprintf(host_names[i], sizeof host_names[i], "host-with-some-name-%zu.example.com", i);
        facts[i] = (struct stats_host_facts){
            .host = host_names[i], .origins = origins, .origin_count = 1, .probed = true, .required = true};
    }
    struct stats_hosts *hosts = stats_hosts_create(1, facts, count, NULL);
    for (size_t i = 0; i < count; i++) {
        stats_set(&stats_hosts_at_control(hosts, i)->origins_down[0], 1);
    }
    stats_set_hosts(&stats, hosts);
    stats_hosts_release(hosts);
}

Test(admin_answer, readyz_names_the_required_hosts_that_have_no_origin) {
    cr_expect_eq(ask("GET", "/readyz", "localhost").status, 200);
    miss(2);
    struct admin_answer answer = ask("GET", "/readyz", "localhost");
    cr_expect_eq(answer.status, 503);
    cr_expect_str_eq(answer.text, "host host-with-some-name-0.example.com has no origin that is up\n"
                                  "host host-with-some-name-1.example.com has no origin that is up\n");
    cr_expect_eq(answer.body.size, strlen(answer.text));
    cr_expect_eq(ask("GET", "/healthz", "localhost").status, 200);
    stats_set(&stats_hosts_at_control(stats.hosts, 1)->origins_down[0], 0);
    cr_expect_str_eq(ask("GET", "/readyz", "localhost").text,
                     "host host-with-some-name-0.example.com has no origin that is up\n");
    view.draining = true;
    answer = ask("GET", "/readyz", "localhost");
    view.draining = false;
    cr_expect(bytes_equal(answer.body, bytes_of_string("draining\n")));
}

Test(admin_answer, readyz_says_how_many_hosts_it_does_not_name) {
    miss(64);
    struct admin_answer answer = ask("GET", "/readyz", "localhost");
    size_t named = 0;
    for (const char *at = answer.text; (at = strstr(at, "has no origin")) != NULL; at++) {
        named++;
    }
    char last[64];
    snprintf(last, sizeof last, "\nand so it is with %zu more\n", 64 - named);
    cr_expect(named > 10 && named < 20);
    cr_expect_str_eq(answer.text + strlen(answer.text) - strlen(last), last);
    cr_expect_lt(strlen(answer.text), sizeof answer.text);
}
