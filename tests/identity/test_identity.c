#include "identity/identity.h"
#include "path/path.h"
#include "support.h"

enum { AT = 1780315200 };

static struct trust *trust;
static struct forward_header headers[] = {
    {.name = (char *)"X-Status", .field = {.kind = FIELD_STATUS}},
    {.name = (char *)"X-Reason", .field = {.kind = FIELD_REASON}},
    {.name = (char *)"X-SKI", .field = {.kind = FIELD_SKI}},
    {.name = (char *)"X-DN", .field = {.kind = FIELD_SUBJECT_DN}},
    {.name = (char *)"X-Version", .field = {.kind = FIELD_TLS_VERSION}},
    {.name = (char *)"X-Cipher", .field = {.kind = FIELD_TLS_CIPHER}},
    {.name = (char *)"X-Group", .field = {.kind = FIELD_KEY_EXCHANGE_GROUP}},
    {.name = (char *)"X-SNI", .field = {.kind = FIELD_SNI}},
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
        {.name = (char *)"X-Cert", .field = {.kind = FIELD_DER_BASE64}},
        {.name = (char *)"X-Chain", .field = {.kind = FIELD_RFC9440_CHAIN}},
        {.name = (char *)"X-Names", .field = {.kind = FIELD_SAN_DNS}},
        {.name = (char *)"X-PEM", .field = {.kind = FIELD_PEM_URLENCODED}},
        {.name = (char *)"X-Status", .field = {.kind = FIELD_STATUS}},
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

static struct template *template_of(const char *text) {
    struct template_fault fault;
    struct template *template = template_parse(text, &fault);
    cr_assert_not_null(template, "%s: %s", text, fault.why);
    return template;
}

static struct identity *judge_rules(const struct forward *requests, const struct forward *answers, const char *file) {
    struct bytes chain[SUPPORT_CHAIN_MAX] = {0};
    size_t count = file == NULL ? 0 : support_chain(CORPUS "/chains", file, chain);
    const struct identity_policy policy = {.trust = trust, .depth_max = 4, .forward = requests, .answers = answers};
    struct identity *identity = identity_judge(&policy, chain, count, false, AT);
    if (file != NULL) {
        support_free_chain(chain, count);
    }
    return identity;
}

static void assert_block(struct bytes block, const char *expected) {
    cr_assert(bytes_equal(block, bytes_of_string(expected)), "%.*s", (int)block.size, (const char *)block.data);
}

Test(identity, rules_of_both_directions) {
    struct forward_header requests[] = {
        {.name = (char *)"X-Env", .template = template_of("prod")},
        {.name = (char *)"X-Who", .template = template_of("{status}:{subject.cn}/{serial}")},
        {.name = (char *)"X-How", .template = template_of("{tls.version} {subject.cn}")},
        {.name = (char *)"X-OU", .template = template_of("<{subject.ou}>")},
    };
    struct forward_header answers[] = {
        {.name = (char *)"X-You", .template = template_of("{subject.cn}")},
        {.name = (char *)"X-Name", .template = template_of("{sni}")},
    };
    struct identity *identity =
        judge_rules(&(struct forward){requests, 4}, &(struct forward){answers, 2}, "one-intermediate.pem");
    cr_assert_eq(strncmp((const char *)identity->headers.data, "X-Who: valid:leaf/", 18), 0);
    cr_assert_eq(memchr(identity->headers.data, '<', identity->headers.size), NULL, "a field of it is absent");
    cr_assert_eq(strncmp((const char *)identity->marked_headers.data, "X-How: \x01 leaf\r\n", 15), 0);
    assert_block(identity->answer_headers, "X-You: leaf\r\n");
    assert_block(identity->marked_answer_headers, "X-Name: \x04\r\n");
    identity_release(identity);
    identity = judge_rules(&(struct forward){requests, 4}, &(struct forward){answers, 2}, NULL);
    assert_block(identity->headers, "");
    assert_block(identity->answer_headers, "");
    identity_release(identity);
    for (size_t i = 0; i < 4; i++) {
        free(requests[i].template);
        free(answers[i % 2].template);
        answers[i % 2].template = NULL;
    }
}

/* Nobody takes answers with heads of hundreds of kilobytes. */
Test(identity, answers_have_so_much_room) {
    struct forward_header answers[] = {
        {.name = (char *)"X-A", .template = template_of("{der.base64}{der.base64}{der.base64}{der.base64}{der.base64}")},
        {.name = (char *)"X-B", .template = template_of("{der.base64}{der.base64}{der.base64}{der.base64}{der.base64}")},
        {.name = (char *)"X-C", .template = template_of("{der.base64}{der.base64}{der.base64}{der.base64}{der.base64}")},
        {.name = (char *)"X-D", .template = template_of("{der.base64}{der.base64}{der.base64}{der.base64}{der.base64}")},
        {.name = (char *)"X-E", .template = template_of("{status}")},
    };
    enum { COUNT = sizeof answers / sizeof answers[0] };
    static const struct forward none = {NULL, 0};
    struct identity *identity = judge_rules(&none, &(struct forward){answers, COUNT}, "one-intermediate.pem");
    char text[64 * 1024];
    snprintf(text, sizeof text, "%.*s", (int)identity->answer_headers.size, (const char *)identity->answer_headers.data);
    cr_assert_not_null(strstr(text, "X-D-Too-Large: true\r\n"));
    cr_assert_not_null(strstr(text, "X-E: valid\r\n"));
    cr_assert_leq(identity->answer_headers.size, IDENTITY_ANSWER_SIZE_MAX + COUNT * 32);
    identity_release(identity);
    for (size_t i = 0; i < COUNT; i++) {
        free(answers[i].template);
    }
}
