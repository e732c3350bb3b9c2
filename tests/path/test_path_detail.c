#include "base/check.h"
#include "identity/identity.h"
#include "path/path.h"
#include "support.h"

enum { AT = 1780315200 /* 2026-06-01T12:00:00Z */ };

/* `expected` with each "<aki>" as the leaf's, in hex: keys are drawn when the corpus is made. */
static void expand(const char *expected, const struct certificate *leaf, struct text *out) {
    for (const char *mark; (mark = strstr(expected, "<aki>")) != NULL; expected = mark + strlen("<aki>")) {
        text_append(out, expected, (size_t)(mark - expected));
        text_append_hex(out, leaf->aki);
    }
    text_append_string(out, expected);
}

static void assert_detail(const char *file, const char *expected) {
    static struct path_chain chain;
    char path[128];
    snprintf(path, sizeof path, "%s.pem", file);
    struct bytes certificates[SUPPORT_CHAIN_MAX];
    size_t count = support_chain(CORPUS "/chains", path, certificates);
    struct trust *trust = trust_create();
    support_add_root(trust, CORPUS, "roots/root.pem");
    support_add_root(trust, CORPUS, "roots/fort.pem");
    cr_assert(path_read_chain(&chain, certificates, count));
    struct path_verdict verdict;
    path_judge(&chain, &(struct path_settings){.trust = trust, .depth_max = 4, .now = AT}, &verdict);
    char buffer[512];
    struct text text = text_over(buffer, sizeof buffer);
    char expanded[512];
    struct text wanted = text_over(expanded, sizeof expanded);
    path_append_detail(&text, &verdict, 4);
    expand(expected, &chain.members[0].certificate, &wanted);
    cr_expect(bytes_equal(text_bytes(&text), text_bytes(&wanted)), "%s: %.*s", file, (int)text.size, buffer);
    support_free_chain(certificates, count);
    trust_free(trust);
}

Test(path_detail, says_which_certificate_and_why) {
    static const struct {
        const char *file;
        const char *detail;
    } cases[] = {
        {"one-intermediate", ""},
        {"intermediate-missing", "no certificate of the issuer \"CN=Middle,O=Corpus\" (key <aki>) of \"CN=leaf,O=Corpus\" "
                                 "among the roots or in the chain"},
        {"self-signed", "no certificate of the issuer \"CN=Stranger,O=Corpus\" (key <aki>) among the roots or in the chain"},
        {"five-deep", "the path to the root has 5 certificates, at most 4 are allowed"},
        {"leaf-signature-flipped",
         "the signature on \"CN=leaf,O=Corpus\" is not by the key of \"CN=Middle,O=Corpus\", though it names that key"},
        {"ecdsa-sha1",
         "\"CN=leaf,O=Corpus\" is signed with an algorithm that is not accepted: ECDSA with SHA-1, 1.2.840.10045.4.1"},
        {"rsa1024-intermediate",
         "the key of \"CN=Small,O=Corpus\" is not accepted: RSA of 1024 bits, it takes 2048 or more"},
        {"p224-leaf", "the key of \"CN=leaf,O=Corpus\" is not accepted: its curve 1.3.132.0.33"},
        {"unknown-key", "the key of \"CN=leaf,O=Corpus\" is not accepted: its algorithm Ed448, 1.3.101.113"},
        {"expired-intermediate", "\"CN=Old,O=Corpus\" was valid until 2025-01-01T00:00:00Z"},
        {"not-yet-valid", "\"CN=leaf,O=Corpus\" is not valid before 2027-01-01T00:00:00Z"},
        {"leaf-signs-leaf", "\"CN=Not a CA,O=Corpus\" signed a certificate but is not a CA"},
        {"server-certificate", "\"CN=leaf,O=Corpus\": its extendedKeyUsage has no clientAuth"},
        {"path-length-exceeded", "\"CN=Below,O=Corpus\" is one CA more than the path length above it allows"},
        {"critical-in-leaf", "\"CN=leaf,O=Corpus\" has the critical extension 1.3.6.1.4.1.99999.1, which is not supported"},
        {"names-dns-excluded-0", "the DNS name \"device.example.com\" of \"CN=device,O=Works,C=DE\" is excluded by "
                                 "\"CN=Limits,O=Corpus\": excluded is \"example.com\""},
        {"names-ip-permitted-1", "the IP address \"10.2.2.3\" of \"CN=device,O=Works,C=DE\" is not permitted by "
                                 "\"CN=Limits,O=Corpus\": permitted is \"10.1.0.0/16\""},
        {"names-subject-outside",
         "the directory name \"CN=device,O=Works,C=DE\" is not permitted by \"CN=Limits,O=Corpus\": permitted is \"C=FR\""},
        {"names-too-many", "\"CN=leaf,O=Corpus\" has too many names for the constraints above it"},
        {"names-of-unknown-form", "the name (of a form that cannot be compared) of \"CN=device,O=Works,C=DE\" is excluded "
                                  "by \"CN=Limits,O=Corpus\": excluded is (of a form that cannot be compared)"},
        {"rsa16384-leaf", "the key of \"CN=leaf,O=Corpus\" is not accepted: RSA of 16384 bits, it takes 8192 or less"},
        {"weak-key-of-2048-bits", "the key of \"CN=leaf,O=Corpus\" is not accepted: RSA with an exponent that is 1, even or "
                                  "above 64 bits, or an even modulus"},
        {"curve-spelled-out", "the key of \"CN=leaf,O=Corpus\" is not accepted: its curve has no name"},
        {"issuer-renamed", "the issuer \"CN=Castle,O=Corpus\" of \"CN=leaf,O=Corpus\" is unknown, but the root "
                           "\"CN=Fort,O=Corpus\" has the key that it names"},
        {"issuer-missing-with-a-long-key-identifier",
         "no certificate of the issuer \"CN=Nowhere,O=Corpus\" (key 000102030405060708090a0b0c0d0e0f10111213...) of "
         "\"CN=leaf,O=Corpus\" among the roots or in the chain"},
        {"root-with-another-key", "the signature on \"CN=leaf,O=Corpus\" is not by the key of the root "
                                  "\"CN=Fort,O=Corpus\", though it names that key"},
        {"names-second-name-outside", "the DNS name \"a.example.net\" of \"CN=device,O=Corpus\" is not permitted by "
                                      "\"CN=Limits,O=Corpus\": permitted is \"example.com\" and 1 more"},
        {"names-ip-odd-mask-outside", "the IP address \"10.9.6.7\" of \"CN=device,O=Corpus\" is not permitted by "
                                      "\"CN=Limits,O=Corpus\": permitted is \"10.0.5.0/255.0.255.0\""},
        {"names-ip6-permitted-1", "the IP address \"2002::\" of \"CN=device,O=Works,C=DE\" is not permitted by "
                                  "\"CN=Limits,O=Corpus\": permitted is \"2001::/16\""},
        {"subject-acts-upon-terminals", "no certificate of the issuer \"CN=?31m?evil?\U0001F355\U0001F355\U0001F355"
                                        "\U0001F355\U0001F355...\" (key <aki>) among the roots or in the chain"},
        {"pss-mask-sha1", "\"CN=spelled,O=Corpus\" is signed with an algorithm that is not accepted: RSA-PSS not with "
                          "SHA-256, SHA-384 or SHA-512, 1.2.840.113549.1.1.10"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_detail(cases[i].file, cases[i].detail);
    }
}

Test(path_detail, fits_even_when_every_name_is_cut) {
    struct bytes certificates[SUPPORT_CHAIN_MAX];
    size_t count = support_chain(CORPUS "/chains", "names-of-great-length.pem", certificates);
    struct trust *trust = trust_create();
    support_add_root(trust, CORPUS, "roots/fort.pem");
    const struct forward forward = {NULL, 0};
    const struct identity_policy policy = {.trust = trust, .depth_max = 4, .forward = &forward};
    struct identity *identity = identity_judge(&policy, certificates, count, false, AT);
    const char *end = "\" and 2 more";
    size_t size = strlen(identity->detail);
    cr_assert(size > strlen(end) && strcmp(identity->detail + size - strlen(end), end) == 0, "%s", identity->detail);
    identity_release(identity);
    support_free_chain(certificates, count);
    trust_free(trust);
}
