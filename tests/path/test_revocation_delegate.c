#include "path/revocation_delegate.h"
#include "revocation_support.h"
#include "x509/name.h"

#include <errno.h>

static struct bytes chain[SUPPORT_CHAIN_MAX];
static size_t count;
static int result;
static const char *why;

static void load(const char *file) {
    count = support_chain(REVOCATION "/chains", file, chain);
}

static void teardown(void) {
    support_free_chain(chain, count);
    count = 0;
}

TestSuite(revocation_delegate, .fini = teardown);

Test(revocation_delegate, is_read_once_and_owns_its_bytes) {
    load("delegate-in-chain.pem");
    struct revocation_delegate *delegate = revocation_delegate_create(chain[2], &result, &why);
    cr_assert(delegate != NULL && result == 0, "%s", why);
    cr_assert(bytes_equal(delegate->certificate.der, chain[2]) && delegate->certificate.der.data == delegate->der);
    cr_assert_eq(delegate->subject_hash, name_hash(delegate->certificate.subject));
    revocation_delegate_free(delegate);
    revocation_delegate_free(NULL);
}

Test(revocation_delegate, says_why_it_may_not) {
    static const struct {
        const char *file;
        const char *why;
    } refused[] = {
        {"delegate-without-crl-sign.pem", "it may not sign CRLs: its keyUsage has no cRLSign"},
        {"delegate-without-key-usage.pem", "it may not sign CRLs: it is no CA and has no keyUsage with cRLSign"},
        {"delegate-with-critical-extension.pem", "it has a critical extension that is not supported"},
        {"delegate-signed-weakly.pem", "it is signed with an algorithm that is not accepted"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        load(refused[i].file);
        cr_expect(revocation_delegate_create(chain[2], &result, &why) == NULL, "%s", refused[i].file);
        cr_expect(result == -EINVAL && strcmp(why, refused[i].why) == 0, "%s: %s", refused[i].file, why);
        teardown();
    }
    cr_assert(revocation_delegate_create(bytes_of("no DER", 6), &result, &why) == NULL && result == -EINVAL);
}

Test(revocation_delegate, a_ca_needs_crl_sign_where_it_has_a_key_usage) {
    struct certificate certificate = {.has_key_usage = false};
    cr_assert(revocation_ca_may_sign(&certificate));
    certificate.has_key_usage = true;
    certificate.key_usage = KEY_USAGE_KEY_CERT_SIGN;
    cr_assert(!revocation_ca_may_sign(&certificate));
    certificate.key_usage |= KEY_USAGE_CRL_SIGN;
    cr_assert(revocation_ca_may_sign(&certificate));
}

Test(revocation_delegate, its_signer_is_found_out_once) {
    struct certificate ca;
    struct signature_key key;
    struct key_allowance left = {.left = 1};
    load("delegate-by-the-ca-in-chain.pem");
    struct revocation_delegate *delegate = revocation_delegate_create(chain[2], &result, &why);
    cr_assert(delegate != NULL && certificate_read(&ca, chain[1], &why), "%s", why);
    cr_assert_eq(signature_judge_key(&ca, &key), REASON_OK);
    uint8_t spki[32];
    signature_sha256(ca.spki, spki);
    struct key_allowance none = {.left = 0};
    cr_assert(!revocation_delegate_is_by(delegate, &key, spki, &none) && none.exceeded);
    cr_assert(revocation_delegate_is_by(delegate, &key, spki, &left) && left.left == 0);
    cr_assert(revocation_delegate_is_by(delegate, &key, spki, &left));
    left.left = 1;
    cr_assert(!revocation_delegate_is_by(delegate, &delegate->key, delegate->spki, &left) && left.left == 0);
    cr_assert(!revocation_delegate_is_by(delegate, &delegate->key, delegate->spki, &left));
    revocation_delegate_free(delegate);
}
