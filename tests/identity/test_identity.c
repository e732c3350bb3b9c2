#include "identity/identity.h"
#include "path/path.h"
#include "support.h"

enum { AT = 1780315200 };

static struct trust *trust;
static struct forward_header headers[] = {
    {(char *)"X-Status", {.kind = FIELD_STATUS}},
    {(char *)"X-Reason", {.kind = FIELD_REASON}},
    {(char *)"X-SKI", {.kind = FIELD_SKI}},
    {(char *)"X-DN", {.kind = FIELD_SUBJECT_DN}},
    {(char *)"X-Version", {.kind = FIELD_TLS_VERSION}},
    {(char *)"X-Cipher", {.kind = FIELD_TLS_CIPHER}},
    {(char *)"X-Group", {.kind = FIELD_KEY_EXCHANGE_GROUP}},
    {(char *)"X-SNI", {.kind = FIELD_SNI}},
};
static struct forward forward = {headers, sizeof headers / sizeof headers[0]};

static void setup(void) {
    trust = trust_create();
    support_add_root(trust, CORPUS, "roots/root.pem");
}

static void teardown(void) {
    trust_free(trust);
}

TestSuite(identity, .init = setup, .fini = teardown);

static struct identity *judge(const char *file, bool too_large) {
    struct bytes chain[SUPPORT_CHAIN_MAX];
    size_t count = support_chain(CORPUS "/chains", file, chain);
    const struct identity_policy policy = {.trust = trust, .depth_max = 4, .forward = &forward};
    struct identity *identity = identity_judge(&policy, chain, count, too_large, AT);
    support_free_chain(chain, count);
    return identity;
}

static void assert_headers(const struct identity *identity, const char *expected) {
    cr_assert(bytes_equal(identity->headers, bytes_of_string(expected)), "%.*s", (int)identity->headers.size,
              (const char *)identity->headers.data);
}

Test(identity, none_has_a_status_and_a_reason) {
    const struct identity_policy policy = {.trust = trust, .depth_max = 4, .forward = &forward};
    struct identity *identity = identity_judge(&policy, NULL, 0, false, AT);
    cr_assert(identity->status == STATUS_NONE && identity->reason == REASON_ABSENT);
    assert_headers(identity, "X-Status: none\r\nX-Reason: absent\r\n");
    static const uint8_t zeros[32];
    cr_assert_eq(memcmp(identity->fingerprint, zeros, sizeof zeros), 0);
    cr_assert(identity->valid_from == INT64_MIN && identity->valid_until == INT64_MAX);
    identity_release(identity);
}

Test(identity, of_a_valid_chain) {
    struct identity *identity = judge("one-intermediate.pem", false);
    cr_assert(identity->status == STATUS_VALID && identity->reason == REASON_OK && identity->detail[0] == '\0');
    assert_headers(identity, "X-Status: valid\r\nX-Reason: ok\r\nX-DN: CN=leaf,O=Corpus\r\n");
    cr_assert(identity->valid_from == 1577836800 && identity->valid_until == 2208988800);
    identity_release(identity);
}

Test(identity, of_an_invalid_chain_says_who_it_claims_to_be) {
    struct identity *identity = judge("expired.pem", false);
    cr_assert(identity->status == STATUS_INVALID && identity->reason == REASON_EXPIRED);
    assert_headers(identity, "X-Status: invalid\r\nX-Reason: expired\r\nX-DN: CN=leaf,O=Corpus\r\n");
    identity_release(identity);
    identity = judge("malformed-superfluous.pem", false);
    cr_assert_eq(identity->reason, REASON_MALFORMED);
    assert_headers(identity, "X-Status: invalid\r\nX-Reason: malformed\r\nX-DN: CN=leaf,O=Corpus\r\n");
    identity_release(identity);
}

Test(identity, of_a_leaf_that_cannot_be_read_is_status_and_reason) {
    struct identity *identity = judge("malformed-tail.pem", false);
    assert_headers(identity, "X-Status: invalid\r\nX-Reason: malformed\r\n");
    identity_release(identity);
}

Test(identity, too_large_comes_first) {
    struct identity *identity = judge("one-intermediate.pem", true);
    cr_assert_eq(identity->reason, REASON_TOO_LARGE);
    assert_headers(identity, "X-Status: invalid\r\nX-Reason: too_large\r\nX-DN: CN=leaf,O=Corpus\r\n");
    identity_release(identity);
    const struct identity_policy policy = {.trust = trust, .depth_max = 4, .forward = &forward};
    identity = identity_judge(&policy, NULL, 0, true, AT);
    cr_assert_eq(identity->reason, REASON_TOO_LARGE, "the first certificate alone was too large");
    assert_headers(identity, "X-Status: invalid\r\nX-Reason: too_large\r\n");
    identity_release(identity);
}

Test(identity, an_empty_certificate_is_malformed) {
    const struct identity_policy policy = {.trust = trust, .depth_max = 4, .forward = &forward};
    struct bytes nothing = {NULL, 0};
    struct identity *identity = identity_judge(&policy, &nothing, 1, false, AT);
    cr_assert_eq(identity->reason, REASON_MALFORMED);
    identity_release(identity);
}

Test(identity, more_certificates_than_are_read) {
    struct bytes chain[SUPPORT_CHAIN_MAX];
    size_t count = support_chain(CORPUS "/chains", "leaf-under-root.pem", chain);
    struct bytes many[PATH_CHAIN_MAX + 1];
    for (size_t i = 0; i <= PATH_CHAIN_MAX; i++) {
        many[i] = chain[0];
    }
    const struct identity_policy policy = {.trust = trust, .depth_max = PATH_CHAIN_MAX, .forward = &forward};
    struct identity *identity = identity_judge(&policy, many, PATH_CHAIN_MAX, false, AT);
    cr_assert_eq(identity->reason, REASON_OK, "%s", identity->detail);
    identity_release(identity);
    identity = identity_judge(&policy, many, PATH_CHAIN_MAX + 1, false, AT);
    cr_assert_eq(identity->reason, REASON_CHAIN_TOO_LONG);
    identity_release(identity);
    support_free_chain(chain, count);
}

Test(identity, lives_as_long_as_someone_holds_it) {
    struct identity *identity = judge("one-intermediate.pem", false);
    cr_assert(identity_retain(identity) == identity);
    identity_release(identity);
    cr_assert_eq(identity->status, STATUS_VALID);
    identity_release(identity);
    identity_release(NULL);
}

Test(identity, a_value_over_8_kib_says_so_instead) {
    struct forward_header pem[] = {
        {(char *)"X-Cert", {.kind = FIELD_DER_BASE64}}, {(char *)"X-Chain", {.kind = FIELD_RFC9440_CHAIN}},
        {(char *)"X-Names", {.kind = FIELD_SAN_DNS}},   {(char *)"X-PEM", {.kind = FIELD_PEM_URLENCODED}},
        {(char *)"X-Status", {.kind = FIELD_STATUS}},
    };
    const struct forward all = {pem, sizeof pem / sizeof pem[0]};
    const struct identity_policy policy = {.trust = trust, .depth_max = 4, .forward = &all};
    struct bytes chain[SUPPORT_CHAIN_MAX];
    size_t count = support_chain(CORPUS "/chains", "names-too-many.pem", chain);
    struct bytes big[3] = {chain[0], chain[1], chain[1]};
    struct identity *identity = identity_judge(&policy, big, 3, true, AT);
    char text[1 << 16];
    snprintf(text, sizeof text, "%.*s", (int)identity->headers.size, (const char *)identity->headers.data);
    cr_assert(strstr(text, "X-Chain-Too-Large: true\r\n") != NULL, "%s", text);
    cr_assert(strstr(text, "X-Chain: ") == NULL);
    cr_assert(strstr(text, "X-Cert-Too-Large: true\r\n") != NULL || strstr(text, "X-Cert: ") != NULL);
    cr_assert(strstr(text, "\r\nX-Status: invalid\r\n") != NULL);
    identity_release(identity);
    support_free_chain(chain, count);
}

Test(identity, what_only_the_connection_knows) {
    char buffer[256];
    struct text out = text_over(buffer, sizeof buffer);
    const struct forward_connection facts = {"TLSv1.3", "TLS_AES_128_GCM_SHA256", "X25519MLKEM768", "a%b\r\nX: y"};
    forward_render_connection(&forward, &facts, &out);
    cr_assert(
        bytes_equal(text_bytes(&out),
                    bytes_of_string("X-Version: TLSv1.3\r\nX-Cipher: TLS_AES_128_GCM_SHA256\r\nX-Group: X25519MLKEM768\r\n"
                                    "X-SNI: a%25b%0D%0AX: y\r\n")),
        "%.*s", (int)out.size, buffer);
    out = text_over(buffer, sizeof buffer);
    forward_render_connection(&forward, &(struct forward_connection){"TLSv1.2", NULL, NULL, NULL}, &out);
    cr_assert(bytes_equal(text_bytes(&out), bytes_of_string("X-Version: TLSv1.2\r\n")));
}
