#include "changes.h"
#include "config/header_rules.h"
#include "config/headers.h"

#include <criterion/criterion.h>
#include <stdlib.h>

/* Puts a key with a mapping into the first host, whose line is 28. */
#define RULES(key, mapping) "    origin:\n", "    " key ": " mapping "\n    origin:\n", 28
#define REQUEST(mapping)    RULES("request_headers", mapping)
#define RESPONSE(mapping)   RULES("response_headers", mapping)

TestSuite(header_rules, .init = changes_set_up, .fini = changes_tear_down);

Test(header_rules, problems_of_requests) {
    static const struct change changes[] = {
        {REQUEST("[a]"), "request_headers must be a mapping"},
        {REQUEST("{sets: {X-A: b}}"), "unknown key \"sets\" in request_headers; did you mean \"set\"?"},
        {REQUEST("{set: [X-A]}"), "request_headers.set must be a mapping (header name: value)"},
        {REQUEST("{set: {X A: b}}"), "header name \"X A\" is no token"},
        {REQUEST("{set: {Host: b}}"), "\"Host\" is reserved: it, or one alike, frames, routes or codes a message"},
        {REQUEST("{set: {content_length: '5'}}"), "\"content_length\" is reserved"},
        {REQUEST("{add: {Connection: close}}"), "\"Connection\" is reserved"},
        {REQUEST("{add: {Transfer-Encoding: chunked}}"), "reserved"},
        {REQUEST("{set: {X-Forwarded-For: b}}"), "reserved: it, or one alike, is set or removed by Sallyport"},
        {REQUEST("{add: {Via: b}}"), "reserved"},
        {REQUEST("{set: {X-Request-Id: b}}"), "reserved: it, or one alike, is set by Sallyport itself"},
        {REQUEST("{set: {Sec-WebSocket-Key: b}}"), "reserved"},
        {REQUEST("{set: {x_device: b}}"), "\"x_device\" is in use by this host for \"X-Device\""},
        {REQUEST("{add: {X-Device: b}}"), "\"X-Device\" is in use by this host for \"X-Device\""},
        {REQUEST("{set: {X-A: b}, add: {x_a: c}}"), "\"x_a\" is in use by this host for \"X-A\""},
        {REQUEST("{set: {X-Device-Too-Large: b}}"), "in use by this host"},
        {REQUEST("{set: {X-A: 5}}"), "request_headers.set: X-A must be a string, not 5; put it in quotes"},
        {REQUEST("{set: {X-A: [b]}}"), "request_headers.set: X-A must be a string"},
        {REQUEST("{set: {X-A: {subject.cn: }}}"), "X-A must be a string, not a mapping; put a value that begins with {"},
        {REQUEST("{set: {X-A: \"b\\r\\nX-Admin: 1\"}}"), "a control character or line break within a value"},
        {REQUEST("{set: {X-A: '{subject.cn'}}"), "X-A is no value of a header: it has a { without its }"},
        {REQUEST("{set: {X-A: '{cn}'}}"), "X-A: \"cn\" is no field that can be forwarded; did you mean \"subject.cn\"?"},
        {REQUEST("{add: {X-A: [b, 5]}}"), "request_headers.add: X-A must be a string, not 5"},
        {REQUEST("{remove: X-A}"), "request_headers.remove must be a list"},
        {REQUEST("{remove: [Host]}"), "request_headers.remove: \"Host\", or a name alike, frames or routes a message"},
        {REQUEST("{remove: ['*']}"), "request_headers.remove: \"*\": a * stands at the end of a name"},
    };
    ASSERT_PROBLEMS(changes);
}

Test(header_rules, problems_of_answers) {
    static const struct change changes[] = {
        {RESPONSE("{set: {Content-Length: '5'}}"),
         "\"Content-Length\" is reserved: it, or one alike, frames, routes or codes"},
        {RESPONSE("{add: {Trailer: b}}"), "\"Trailer\" is reserved"},
        {RESPONSE("{add: {Content-Encoding: gzip}}"), "reserved"},
        {RESPONSE("{set: {Date: b}}"), "\"Date\" is reserved: it, or one alike, is set by Sallyport itself"},
        {RESPONSE("{set: {x-request-id: b}}"), "is set by Sallyport itself"},
        {RESPONSE("{set: {strict-transport-security: max-age=1}}"),
         "\"strict-transport-security\" has a key of its own: strict_transport_security"},
        {RESPONSE("{set: {X-A: b}, add: {X-A: c}}"), "\"X-A\" is in use by this host for \"X-A\""},
        {RESPONSE("{set: {X-A: '{subject.cn} '}}"), "response_headers.set: X-A is no value of a header: it has white space"},
        {RESPONSE("{remove: [Content-Length]}"), "response_headers.remove: \"Content-Length\""},
        {RESPONSE("{remove: ['Content-*']}"), "\"Content-*\", or a name alike, frames or routes a message, or says how"},
        {RESPONSE("{remove: [Date]}"), "response_headers.remove: \"Date\""},
    };
    ASSERT_PROBLEMS(changes);
}

static struct config *load(const char *replacement) {
    char *yaml = scene_replace(changes_good, "    origin:\n", replacement);
    struct config_problems problems = {0};
    struct config *config = scene_load(&changes_scene, yaml, &problems);
    cr_assert(config != NULL, "%s", problems.count > 0 ? problems.items[0].message : "");
    free(yaml);
    return config;
}

static bool has(const struct http_removals *removals, const char *name) {
    return removals != NULL && http_removals_has(removals, bytes_of_string(name));
}

static void assert_lines(struct bytes lines, const char *expected) {
    cr_expect(bytes_equal(lines, bytes_of_string(expected)), "%.*s", (int)lines.size, (const char *)lines.data);
}

Test(header_rules, of_requests) {
    struct config *config = load("    request_headers:\n"
                                 "      set: {X-Env: prod, X-Who: '{subject.cn}/{serial}'}\n"
                                 "      add: {X-Tag: [a, b], X-How: '{tls.version}', Accept-Language: en}\n"
                                 "      remove: [X-Debug, 'X-SSL-*']\n"
                                 "    origin:\n");
    const struct config_host *host = &config->hosts[0];
    assert_lines(host->request_lines, "X-Env: prod\r\nX-Tag: a\r\nX-Tag: b\r\nAccept-Language: en\r\n");
    cr_expect(has(host->strip, "x_debug") && has(host->strip, "X-SSL-Verify"));
    static const char *const removed[] = {"X-Env", "x_env", "HTTP_X_ENV", "X-Who", "X.Who-Too-Large", "X-How"};
    for (size_t i = 0; i < ARRAY_LENGTH(removed); i++) {
        cr_expect(has(config->removals, removed[i]), "%s on every host", removed[i]);
    }
    cr_expect_not(has(config->removals, "X-Tag"), "what is added as it is stands beside what clients send");
    cr_expect_not(has(config->removals, "X-Debug"), "it is this host's");
    cr_expect_eq(host->answers.count, 0);
    cr_expect_null(host->answer_rules.removals);
    config_release(config);
}

Test(header_rules, of_answers) {
    struct config *config = load("    response_headers:\n"
                                 "      set: {X-Frame-Options: DENY, X-You: '{subject.cn}'}\n"
                                 "      add: {Link: ['</a>; rel=preload', '</b>; rel=preload'], Set-Cookie: 'a=\"{{b}}\"'}\n"
                                 "      remove: [Server, 'X-Debug-*']\n"
                                 "    strict_transport_security: {max_age: 365d, include_subdomains: true, preload: true}\n"
                                 "    origin:\n");
    const struct config_host *host = &config->hosts[0];
    assert_lines(host->answer_rules.constant,
                 "Strict-Transport-Security: max-age=31536000; includeSubDomains; preload\r\n"
                 "X-Frame-Options: DENY\r\nLink: </a>; rel=preload\r\nLink: </b>; rel=preload\r\nSet-Cookie: a=\"{b}\"\r\n");
    static const char *const removed[] = {"X-Frame-Options",          "x_frame_options", "X-You",
                                          "X-You-Too-Large",          "Server",          "X-Debug-Time",
                                          "strict-transport-security"};
    for (size_t i = 0; i < ARRAY_LENGTH(removed); i++) {
        cr_expect(has(host->answer_rules.removals, removed[i]), "%s", removed[i]);
    }
    cr_expect_not(has(host->answer_rules.removals, "Link"), "it is added");
    cr_expect_not(has(host->answer_rules.removals, "Set-Cookie"));
    cr_expect_not(has(config->removals, "X-You"), "clients may send what answers have");
    cr_expect_eq(host->policy.answers, &host->answers);
    cr_expect_null(config->hosts[1].answer_rules.removals);
    config_release(config);
}

Test(header_rules, bounds) {
    char many[16 * 1024];
    int size = snprintf(many, sizeof many, "    request_headers: {set: {");
    for (size_t i = 0; i < HEADERS_RULES_MAX + 1; i++) {
        size += snprintf(many + size, sizeof many - (size_t)size, "X-R%zu: a, ", i);
    }
    snprintf(many + size, sizeof many - (size_t)size, "}}\n    origin:\n");
    changes_assert_problem(&(struct change){"    origin:\n", many, 28, "request_headers.set has more than 64 values"});
    size = snprintf(many, sizeof many, "    response_headers: {add: {X-A: [");
    for (size_t i = 0; i < HEADERS_RULES_MAX + 2; i++) {
        size += snprintf(many + size, sizeof many - (size_t)size, "'{subject.cn}', ");
    }
    snprintf(many + size, sizeof many - (size_t)size, "]}}\n    origin:\n");
    changes_assert_problem(&(struct change){"    origin:\n", many, 28, "response_headers.add has more than 64 values"});
    char value[5001];
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    snprintf(many, sizeof many, "    response_headers: {add: {X-A: [%s, %s]}}\n    origin:\n", value, value);
    changes_assert_problem(
        &(struct change){"    origin:\n", many, 28, "response_headers: the headers without fields have more than 8 KiB"});
}
