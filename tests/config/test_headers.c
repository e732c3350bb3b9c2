#include "changes.h"
#include "config/headers.h"

#include <criterion/criterion.h>
#include <stdlib.h>

Test(headers, names_and_fields, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct change changes[] = {
        {"        X-Reason: reason", "        X Reason: reason", 27,
         "header name \"X Reason\" is no token (RFC 9110): it has a space"},
        {"        X-Reason: reason", "        \"X-Reason:\": reason", 27, "is no token (RFC 9110): it has a \":\""},
        {"        X-Reason: reason", "        \"\": reason", 27, "it is empty"},
        {"        X-Reason: reason",
         "        X-R\xc3\xa9"
         "ason: reason",
         27, "a character beyond ASCII"},
        {"        X-Reason: reason", "        Host: reason", 27,
         "\"Host\" is reserved: it, or one alike, frames, routes or codes a message"},
        {"        X-Reason: reason", "        connection: reason", 27, "reserved"},
        {"        X-Reason: reason", "        Content-Length: reason", 27, "reserved"},
        {"        X-Reason: reason", "        Content_Length: reason", 27, "reserved"},
        {"        X-Reason: reason", "        Transfer-Encoding: reason", 27, "reserved"},
        {"        X-Reason: reason", "        X-Forwarded-For: reason", 27,
         "reserved: it, or one alike, is set or removed by Sallyport"},
        {"        X-Reason: reason", "        x_forwarded_proto: reason", 27, "reserved"},
        {"        X-Reason: reason", "        X-Forwarded-HOST: reason", 27, "reserved"},
        {"        X-Reason: reason", "        X-Request-ID: reason", 27,
         "reserved: it, or one alike, is set by Sallyport itself"},
        {"        X-Reason: reason", "        Content.Length: reason", 27, "reserved"},
        {"        X-Reason: reason", "        Host_: reason", 27, "reserved"},
        {"        X-Reason: reason", "        HTTP_Content_Length: reason", 27, "reserved"},
        {"        X-Reason: reason", "        Proxy: reason", 27, "reserved"},
        {"        X-Reason: reason", "        Forwarded: reason", 27, "reserved"},
        {"        X-Reason: reason", "        X.Forwarded.For: reason", 27, "reserved"},
        {"        X-Reason: reason", "        X-Forwarded-For_Too_Large: reason", 27, "reserved"},
        {"        X-Reason: reason", "        X~Device: reason", 27, "\"X~Device\" is in use by this host for \"X-Device\""},
        {"        X-Reason: reason", "        HTTP_X_DEVICE: reason", 27, "in use by this host for \"X-Device\""},
        {"        X-Reason: reason", "        X|Device|Too|Large: reason", 27, "for \"X-Device\""},
        {"        X-Reason: reason", "        x_device: reason", 27, "\"x_device\" is in use by this host for \"X-Device\""},
        {"        X-Reason: reason", "        X-CLIENT-cert_status: reason", 27, "for \"X-Client-Cert-Status\""},
        {"        X-Reason: reason", "        x-client-cert-ski: reason", 27, "for \"X-Client-Cert-SKI\""},
        {"        X-Reason: reason", "        X-Device-Too-Large: reason", 27, "for \"X-Device\""},
        {"        X-Device: subject.cn", "        X-Reason-Too_large: subject.cn", 27, "for \"X-Reason-Too_large\""},
        {"status: X-Client-Cert-Status", "status: x-client-cert-ski", 24, "\"X-Client-Cert-SKI\" is in use by this host"},
        {"status: X-Client-Cert-Status", "status: 'a b'", 24, "is no token"},
        {"status: X-Client-Cert-Status", "ski: x-device", 26, "\"X-Device\" is in use by this host for \"x-device\""},
        {"        X-Reason: reason", "        X-Reason: cause", 27,
         "\"cause\" is no field that can be forwarded (docs/contract.md lists them)"},
        {"        X-Reason: reason", "        X-Reason: subject.xyz", 27,
         "\"subject.xyz\" is no field that can be forwarded; behind the \".\" there can be dn cn o ou l"},
        {"        X-Reason: reason", "        X-Reason: 'ext:'", 27, "an extension is \"ext:1.3"},
        {"        X-Reason: reason", "        X-Reason: 'ext:1.2.x'", 27, "\"ext:1.2.x\" is no field"},
        {"        X-Reason: reason", "        X-Reason: Reason", 27,
         "\"Reason\" is no field that can be forwarded; did you mean \"reason\"?"},
        {"        X-Reason: reason", "        X-Reason: cn", 27, "did you mean \"subject.cn\"?"},
        {"        X-Reason: reason", "        X-Reason: subject.CN", 27, "did you mean \"subject.cn\"?"},
        {"        X-Reason: reason", "        X-Reason: subject_cn", 27, "did you mean \"subject.cn\"?"},
        {"        X-Reason: reason", "        X-Reason: fingerprint", 27, "did you mean \"fingerprint.sha256\"?"},
        {"        X-Reason: reason", "        X-Reason: notafter", 27, "did you mean \"not_after\"?"},
    };
    ASSERT_PROBLEMS(changes);
}

#define STRIP(list) "        X-Reason: reason", "        X-Reason: reason\n      strip: " list, 28

Test(headers, names_to_strip, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct change changes[] = {
        {STRIP("X-Real-IP"), "forward.strip must be a list"},
        {STRIP("[]"), "forward.strip"},
        {STRIP("[Host]"), "\"Host\", or a name alike, frames or routes a message"},
        {STRIP("[A, content_length]"), "\"content_length\""},
        {STRIP("[Transfer.Encoding]"), "\"Transfer.Encoding\""},
        {STRIP("[Connection]"), "\"Connection\""},
        {STRIP("[X-Request-Id]"), "\"X-Request-Id\""},
        {STRIP("['a b']"), "\"a b\" is no token"},
        {STRIP("['a:']"), "\"a:\" is no token"},
        {STRIP("[\"X-\xc3\xa9\"]"), "is no token"},
        {STRIP("['*']"), "a * stands at the end of a name"},
        {STRIP("['X-*-Y']"), "a * stands at the end of a name"},
        {STRIP("['X-**']"), "a * stands at the end of a name"},
        {STRIP("[{a: b}]"), "forward.strip"},
    };
    ASSERT_PROBLEMS(changes);
}

Test(headers, stripped_names_are_the_hosts_own, .init = changes_set_up, .fini = changes_tear_down) {
    char *yaml = scene_replace(changes_good, "        X-Reason: reason",
                               "        X-Reason: reason\n      strip: [X-Real-IP, 'X-SSL-*', Forwarded, x_real_ip]");
    struct config_problems problems = {0};
    struct config *config = scene_load(&changes_scene, yaml, &problems);
    cr_assert(config != NULL, "%s", problems.count > 0 ? problems.items[0].message : "");
    const struct http_removals *strip = config->hosts[0].strip;
    cr_expect(http_removals_has(strip, bytes_of_string("x.real.ip")));
    cr_expect(http_removals_has(strip, bytes_of_string("X_SSL_CLIENT_VERIFY")));
    cr_expect_not(http_removals_has(strip, bytes_of_string("X-SSL")));
    cr_expect_not(http_removals_has(config->removals, bytes_of_string("X-Real-IP")));
    cr_expect_eq(config->hosts[1].strip, NULL);
    config_release(config);
    free(yaml);
}

Test(headers, bounds, .init = changes_set_up, .fini = changes_tear_down) {
    char name[256];
    memset(name, 'a', sizeof name);
    snprintf(name + 129, sizeof name - 129, ": reason");
    char replacement[300];
    snprintf(replacement, sizeof replacement, "        %s", name);
    changes_assert_problem(&(struct change){"        X-Reason: reason", replacement, 27, "more than 128 characters"});
    char many[65 * 32] = "\n";
    for (size_t i = 0, size = 1; i < 65; i++) {
        size += (size_t)snprintf(many + size, sizeof many - size, "        X-%zu: reason\n", i);
    }
    changes_assert_problem(&(struct change){"\n        X-Device: subject.cn\n        X-Reason: reason\n", many, 26,
                                            "forward.headers has more than 64 headers"});
    snprintf(name + 129, sizeof name - 129, "%s", "");
    snprintf(replacement, sizeof replacement, "        X-Reason: reason\n      strip: [%s]", name);
    changes_assert_problem(&(struct change){"        X-Reason: reason", replacement, 28, "more than 128 characters"});
    size_t size = (size_t)snprintf(many, sizeof many, "        X-Reason: reason\n      strip: [A");
    for (size_t i = 0; i < 64; i++) {
        size += (size_t)snprintf(many + size, sizeof many - size, ", X-%zu", i);
    }
    snprintf(many + size, sizeof many - size, "]");
    changes_assert_problem(&(struct change){"        X-Reason: reason", many, 28, "forward.strip has more than 64 names"});
}
