#include "identity/server_verdict.h"
#include "support.h"

#include <string.h>

#define SERVER CORPUS "/../../config/data" /* server.pem is for api.example.com and *.example.com */

enum { AT = 1780315200 /* 2026-06-01T12:00:00Z */, LATER = 1796000000, FAR = 4962000000 };

static struct trust *trust;
static struct bytes chain[SUPPORT_CHAIN_MAX];
static size_t count;
static struct server_expectation expected;
static struct server_verdict verdict;

static void load(const char *folder, const char *file, const char *root_folder, const char *root) {
    trust = trust_create();
    support_add_root(trust, root_folder, root);
    count = support_chain(folder, file, chain);
    expected = (struct server_expectation){.trust = trust, .name = "api.example.com"};
}

static void teardown(void) {
    support_free_chain(chain, count);
    trust_free(trust);
}

TestSuite(server_verdict, .fini = teardown);

static void judge(int64_t now) {
    server_judge(&expected, chain, count, false, now, &verdict);
}

Test(server_verdict, of_a_good_chain_depends_on_the_name) {
    load(SERVER, "server.pem", SERVER, "root.pem");
    judge(LATER);
    cr_assert(verdict.reason == REASON_OK && verdict.is_named, "%s", verdict.detail);
    cr_assert_gt(verdict.until, LATER);
    cr_assert_str_empty(verdict.detail);
    expected.name = "other.example.com";
    judge(LATER);
    cr_assert(verdict.reason == REASON_OK && verdict.is_named, "a wildcard is for it");
    expected.name = "a.b.example.com";
    judge(LATER);
    cr_assert(verdict.reason == REASON_OK && !verdict.is_named);
    cr_assert_str_eq(verdict.detail,
                     "the certificate is not for \"a.b.example.com\", but for \"api.example.com\", \"*.example.com\"");
    expected = (struct server_expectation){.trust = trust, .address = {192, 0, 2, 1}, .address_size = 4};
    judge(LATER);
    cr_assert(verdict.reason == REASON_OK && !verdict.is_named);
    cr_assert(strstr(verdict.detail, "not for \"192.0.2.1\"") != NULL, "%s", verdict.detail);
    judge(FAR);
    cr_assert(verdict.reason == REASON_EXPIRED && !verdict.is_named);
}

Test(server_verdict, names_what_is_wrong_with_a_chain) {
    load(SERVER, "server.pem", SERVER, "root2.pem");
    judge(LATER);
    cr_assert_eq(verdict.reason, REASON_UNKNOWN_ISSUER);
    cr_assert(!verdict.is_named && verdict.detail[0] != '\0');
    server_judge(&expected, chain, count, true, LATER, &verdict);
    cr_assert_eq(verdict.reason, REASON_TOO_LARGE);
    server_judge(&expected, chain, 0, false, LATER, &verdict);
    cr_assert_eq(verdict.reason, REASON_ABSENT);
    struct bytes garbage = bytes_of_string("garbage");
    server_judge(&expected, &garbage, 1, false, LATER, &verdict);
    cr_assert_eq(verdict.reason, REASON_MALFORMED);
    cr_assert_str_not_empty(verdict.detail);
}

Test(server_verdict, asks_for_server_auth) {
    load(CORPUS "/chains", "one-intermediate.pem", CORPUS, "roots/root.pem");
    judge(AT);
    cr_assert_eq(verdict.reason, REASON_WRONG_USAGE, "%s", verdict.detail);
    cr_assert(strstr(verdict.detail, "extendedKeyUsage has no serverAuth") != NULL, "%s", verdict.detail);
}

Test(server_verdict, takes_what_no_client_may_have) {
    load(CORPUS "/chains", "server-certificate.pem", CORPUS, "roots/root.pem");
    judge(AT);
    cr_assert(verdict.reason == REASON_OK && !verdict.is_named, "%s", verdict.detail);
    cr_assert(strstr(verdict.detail, "no name") != NULL, "%s", verdict.detail);
}
