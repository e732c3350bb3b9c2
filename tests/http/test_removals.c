#include "base/hash.h"
#include "http/forward.h"

#include <criterion/criterion.h>
#include <stdio.h>

static bool has(const struct http_removals *removals, const char *name) {
    return http_removals_has(removals, bytes_of_string(name));
}

TestSuite(removals, .init = hash_init);

Test(removals, has_every_spelling_of_what_was_added) {
    struct http_removals *removals = http_removals_create();
    cr_assert_eq(http_removals_add(removals, "X-Client-Cert-Status"), 0);
    cr_assert_eq(http_removals_add(removals, "x_client-cert_STATUS"), 0, "the same again");
    cr_assert_eq(http_removals_add(removals, "Client-Cert"), 0);
    static const char *const in[] = {
        "X-Client-Cert-Status",
        "x-client-cert-status",
        "X_Client_Cert_Status",
        "X_CLIENT-CERT_STATUS",
        "x-forwarded-for",
        "X_Forwarded_Proto",
        "X-FORWARDED-HOST",
        "client_cert",
        "Client-Cert-Too-Large",
        "X-Client_Cert-Status-Too-Large",
        "x_client_cert_status_too_large",
    };
    static const char *const out[] = {
        "",
        "X",
        "X-Client-Cert-Statu",
        "X-Client-Cert-Status-",
        "X-Client-Cert-Statux",
        "XX-Client-Cert-Status",
        "X.Client.Cert.Status",
        "X-Client-Cert",
        "X-Forwarded-For-Too-Large",
        "X-Forwarded-Port",
        "X-Request-Id",
        "Host",
    };
    for (size_t i = 0; i < sizeof in / sizeof in[0]; i++) {
        cr_expect(has(removals, in[i]), "%s", in[i]);
    }
    for (size_t i = 0; i < sizeof out / sizeof out[0]; i++) {
        cr_expect_not(has(removals, out[i]), "%s", out[i]);
    }
    cr_expect_not(http_removals_has(removals, bytes_of("Client-Cert\0", 12)));
    http_removals_free(removals);
}

Test(removals, keeps_hundreds_and_long_ones) {
    struct http_removals *removals = http_removals_create();
    char name[400];
    for (unsigned i = 0; i < 700; i++) {
        snprintf(name, sizeof name, "X-%u_Name", i);
        cr_assert_eq(http_removals_add(removals, name), 0);
    }
    for (unsigned i = 0; i < 1400; i++) {
        snprintf(name, sizeof name, "x_%u-NAME", i);
        cr_assert_eq(has(removals, name), i < 700, "%s", name);
    }
    memset(name, 'x', sizeof name);
    name[350] = '\0';
    cr_assert_eq(http_removals_add(removals, name), 0);
    cr_assert(has(removals, name));
    name[349] = 'y'; /* where the hash no longer looks */
    cr_assert_not(has(removals, name));
    http_removals_free(removals);
}

Test(removals, free_takes_null) {
    http_removals_free(NULL);
}

Test(removals, names_that_may_be_set) {
    static const char *const good[] = {"X-Client-Cert-Status",    "Client-Cert",  "X_Y", "a",
                                       "X-Forwarded-Client-Cert", "Authorization"};
    static const char *const bad[] = {
        "",
        "X Y",
        "X:",
        "X\r\n",
        "X\xc3\xa9",
        "(X)",
        "Host",
        "host",
        "Connection",
        "KEEP-ALIVE",
        "Proxy-Connection",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "transfer_encoding",
        "Content-Length",
        "Content_Length",
        "Upgrade",
        "Expect",
        "X-Request-Id",
        "X-Forwarded-For",
        "x_forwarded_for",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "Via",
        "HTTP2-Settings",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        cr_expect(http_name_may_be_set(good[i]), "%s", good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_expect_not(http_name_may_be_set(bad[i]), "%s", bad[i]);
    }
}
