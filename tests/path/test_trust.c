#include "path/trust.h"
#include "support.h"
#include "x509/name.h"

static struct trust *trust;
static struct error error;

static void setup(void) {
    trust = trust_create();
    error.text[0] = '\0';
}

static void teardown(void) {
    trust_free(trust);
}

TestSuite(trust, .init = setup, .fini = teardown);

static int add(const char *name) {
    struct bytes file = support_read(CORPUS, name);
    int result = trust_add_file(trust, file, &error);
    support_free(file);
    return result;
}

/* Two files one after the other, with text between them. */
static int add_both(const char *a, const char *b) {
    struct bytes first = support_read(CORPUS, a);
    struct bytes second = support_read(CORPUS, b);
    static uint8_t both[1 << 16];
    size_t size = (size_t)snprintf((char *)both, sizeof both, "# first\n%.*s\n# second\n%.*s", (int)first.size,
                                   (const char *)first.data, (int)second.size, (const char *)second.data);
    support_free(first);
    support_free(second);
    return trust_add_file(trust, bytes_of(both, size), &error);
}

Test(trust, keeps_the_roots_of_all_files_once) {
    cr_assert_eq(add("roots/root.pem"), 0);
    cr_assert_eq(trust_count(trust), 1);
    cr_assert_eq(add_both("roots/root.pem", "roots/other.pem"), 0);
    cr_assert_eq(trust_count(trust), 2);
    cr_assert_eq(add("roots/other.pem"), 0);
    cr_assert_eq(trust_count(trust), 2);
    cr_assert_eq(trust_not_after(trust, 0), 2208988800);
    cr_assert(name_is_valid(trust_name(trust, 1)));
    cr_assert(bytes_equal(trust_name(trust, 1), trust_anchor(trust, 1)->certificate.subject));
}

Test(trust, says_from_which_file_a_root_is) {
    cr_assert_eq(add("roots/root.pem"), 0);
    cr_assert_neq(add("cases.csv"), 0);
    cr_assert_eq(add_both("roots/root.pem", "roots/other.pem"), 0);
    cr_assert_eq(trust_anchor(trust, 0)->file, 1);
    cr_assert_eq(trust_anchor(trust, 1)->file, 2);
}

Test(trust, takes_der_too) {
    struct bytes chain[SUPPORT_CHAIN_MAX];
    size_t count = support_chain(CORPUS "/roots", "root.pem", chain);
    cr_assert_eq(trust_add_file(trust, chain[0], &error), 0);
    cr_assert_eq(trust_count(trust), 1);
    support_free_chain(chain, count);
}

Test(trust, expired_roots_load) {
    cr_assert_eq(add("roots/expired.pem"), 0);
}

static void assert_refused(int result, const char *because) {
    cr_assert_eq(result, -22, "%d", result);
    cr_assert(strstr(error.text, because) != NULL, "%s", error.text);
    cr_assert(strchr(error.text, '\n') == NULL);
}

Test(trust, all_or_nothing) {
    cr_assert_eq(add("roots/other.pem"), 0);
    assert_refused(add_both("roots/root.pem", "chains/leaf-under-root.pem"), "certificate 2 (line ");
    assert_refused(add_both("roots/root.pem", "chains/malformed-tail.pem"), "DER structure");
    assert_refused(add_both("roots/root.pem", "cases.csv") == 0 ? -22 : -1, "");
    cr_assert_eq(trust_count(trust), 2, "the text behind a root is passed over");
}

Test(trust, refuses_what_is_no_root) {
    assert_refused(add("chains/leaf-under-root.pem"), "not a CA");
    assert_refused(add("chains/intermediate-signs-crls-only.pem"), "not a CA");
    assert_refused(add("cases.csv"), "no certificate");
    assert_refused(trust_add_file(trust, bytes_of(NULL, 0), &error), "empty");
    assert_refused(trust_add_file(trust, bytes_of_string("\n \n"), &error), "no certificate");
    assert_refused(
        trust_add_file(trust, bytes_of_string("-----BEGIN PRIVATE KEY-----\nYWJj\n-----END PRIVATE KEY-----\n"), &error),
        "PRIVATE KEY");
    assert_refused(trust_add_file(trust, bytes_of_string("a\n-----BEGIN CERTIFICATE-----\nYWJj\n"), &error), "line 2");
    assert_refused(trust_add_file(trust, SUPPORT_BYTES("\x30\x80\x00\x00"), &error), "DER");
    cr_assert_eq(trust_count(trust), 0);
}

static int add_block(const char *name, size_t index) {
    struct bytes chain[SUPPORT_CHAIN_MAX];
    size_t count = support_chain(CORPUS "/chains", name, chain);
    cr_assert(index < count);
    int result = trust_add_file(trust, chain[index], &error);
    support_free_chain(chain, count);
    return result;
}

Test(trust, an_intermediate_may_be_a_root) {
    cr_assert_eq(add_block("one-intermediate.pem", 1), 0);
}

Test(trust, refuses_roots_that_no_path_could_use) {
    assert_refused(add_block("rsa1024-intermediate.pem", 1), "key is not supported");
    assert_refused(add_block("rsa16384-intermediate.pem", 1), "8192 bits");
    assert_refused(add_block("critical-in-intermediate.pem", 1), "1.3.6.1.4.1.99999.1");
    assert_refused(add_block("leaf-signs-leaf.pem", 1), "not a CA");
}

Test(trust, refuses_a_root_whose_bytes_were_changed) {
    struct bytes chain[SUPPORT_CHAIN_MAX];
    size_t count = support_chain(CORPUS "/roots", "root.pem", chain);
    uint8_t *last = (uint8_t *)chain[0].data + chain[0].size - 1;
    *last ^= 1;
    assert_refused(trust_add_file(trust, chain[0], &error), "signature");
    support_free_chain(chain, count);
}
