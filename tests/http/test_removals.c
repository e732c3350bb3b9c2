#include "base/check.h"
#include "base/hash.h"
#include "http/names.h"
#include "http/removals.h"

#include <criterion/criterion.h>
#include <stdio.h>

static bool has(const struct http_removals *removals, const char *name) {
    return http_removals_has(removals, bytes_of_string(name));
}

static void add(struct http_removals *removals, const char *name) {
    cr_assert_eq(http_removals_add(removals, bytes_of_string(name)), 0);
}

TestSuite(removals, .init = hash_init);

Test(removals, has_every_spelling_of_what_was_added) {
    struct http_removals *removals = http_removals_create();
    cr_assert_not(has(removals, "X-Client-Cert-Status"), "of an empty set");
    add(removals, "X-Client-Cert-Status");
    add(removals, "x_client-cert_STATUS"); /* the same again */
    add(removals, "HTTP.Client~Cert");
    static const char *const in[] = {
        "X-Client-Cert-Status", "x-client-cert-status", "X_Client_Cert_Status", "X_CLIENT-CERT_STATUS",
        "X.Client.Cert.Status", "X~Client~Cert~Status", "X'client|cert^STATUS", "HTTP_X_CLIENT_CERT_STATUS",
        "client_cert",          "Client!Cert",
    };
    static const char *const out[] = {
        "",
        "X",
        "HTTP-",
        "X-Client-Cert-Statu",
        "X-Client-Cert-Status-",
        "X-Client-Cert-Statux",
        "XX-Client-Cert-Status",
        "XClientCertStatus",
        "X-Client-Cert",
        "X-Forwarded-Port",
        "X-Request-Id",
        "Host",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(in); i++) {
        cr_expect(has(removals, in[i]), "%s", in[i]);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(out); i++) {
        cr_expect_not(has(removals, out[i]), "%s", out[i]);
    }
    http_removals_free(removals);
}

Test(removals, own_names) {
    struct http_removals *removals = http_removals_create();
    cr_assert_eq(http_removals_add_own(removals), 0);
    static const char *const in[] = {"X-Client-Cert-Status",
                                     "x.client.cert.ski",
                                     "Client-Cert",
                                     "Client_Cert_Chain",
                                     "X-Forwarded-For",
                                     "X_Forwarded_Proto",
                                     "X|FORWARDED|HOST",
                                     "Forwarded",
                                     "PROXY",
                                     "http_proxy",
                                     "X`Forwarded`Client`Cert"};
    for (size_t i = 0; i < ARRAY_LENGTH(in); i++) {
        cr_expect(has(removals, in[i]), "%s", in[i]);
    }
    cr_expect_not(has(removals, "Proxy-Authorization"));
    cr_expect_not(has(removals, "X-Forwarded-Port"));
    http_removals_free(removals);
}

Test(removals, keeps_hundreds_and_long_ones) {
    struct http_removals *removals = http_removals_create();
    char name[400];
    for (unsigned i = 0; i < 700; i++) {
        snprintf(name, sizeof name, "X-%u_Name", i);
        add(removals, name);
    }
    for (unsigned i = 0; i < 1400; i++) {
        snprintf(name, sizeof name, "x_%u.NAME", i);
        cr_assert_eq(has(removals, name), i < 700, "%s", name);
    }
    memset(name, 'x', sizeof name);
    name[350] = '\0';
    add(removals, name);
    cr_assert(has(removals, name));
    name[349] = 'y'; /* where the hash no longer looks */
    cr_assert_not(has(removals, name));
    http_removals_free(removals);
}

Test(removals, prefixes) {
    struct http_removals *removals = http_removals_create();
    char prefix[32];
    for (unsigned i = 0; i < HTTP_REMOVALS_PREFIXES_MAX; i++) {
        snprintf(prefix, sizeof prefix, "X-SSL-%03u-", i);
        cr_assert_eq(http_removals_add_prefix(removals, bytes_of_string(prefix)), 0);
    }
    add(removals, "X-Real-IP");
    cr_expect(has(removals, "x_ssl.000~client"));
    cr_expect(has(removals, "X-SSL-127-"));
    cr_expect(has(removals, "HTTP_X_SSL_127_A"));
    cr_expect(has(removals, "x.real.ip"));
    cr_expect_not(has(removals, "X-SSL-128-A"));
    cr_expect_not(has(removals, "X-SSL-127"));
    cr_expect_not(has(removals, "X-Real-IP-"));
    http_removals_free(removals);
}

Test(removals, free_takes_null) {
    http_removals_free(NULL);
}
