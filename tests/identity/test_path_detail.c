#include "identity/path.h"
#include "support.h"

enum { AT = 1780315200 /* 2026-06-01T12:00:00Z */ };

static void assert_detail(const char *file, const char *expected) {
    struct bytes certificates[SUPPORT_CHAIN_MAX];
    static struct path_chain chain;
    struct path_verdict verdict;
    char path[128];
    snprintf(path, sizeof(path), "%s.pem", file);
    size_t count = support_chain(CORPUS "/chains", path, certificates);
    struct trust *trust = trust_create();
    support_add_root(trust, CORPUS, "roots/root.pem");
    cr_assert(path_read_chain(&chain, certificates, count));
    path_judge(&chain, &(struct path_settings){.trust = trust, .depth_max = 4, .now = AT}, &verdict);
    char buffer[512];
    struct text text = text_over(buffer, sizeof(buffer));
    path_append_detail(&text, &verdict, 4);
    cr_expect(bytes_equal(text_bytes(&text), bytes_of_string(expected)), "%s: %.*s", file, (int)text.size, buffer);
    support_free_chain(certificates, count);
    trust_free(trust);
}

Test(path_detail, says_which_certificate_and_why) {
    static const struct {
        const char *file;
        const char *detail;
    } cases[] = {
        {"one-intermediate", ""},
        {"intermediate-missing",
         "no certificate of the issuer \"CN=Middle,O=Corpus\" of \"CN=leaf,O=Corpus\" among the roots or in the chain"},
        {"self-signed", "no certificate of the issuer \"CN=Stranger,O=Corpus\" among the roots or in the chain"},
        {"five-deep", "the path to the root has 5 certificates, at most 4 are allowed"},
        {"leaf-signature-flipped", "the signature on \"CN=leaf,O=Corpus\" is not by the key of \"CN=Middle,O=Corpus\""},
        {"ecdsa-sha1", "\"CN=leaf,O=Corpus\" is signed with an algorithm that is not accepted: 1.2.840.10045.4.1"},
        {"rsa1024-intermediate", "the key of \"CN=Small,O=Corpus\" is not accepted: RSA of 1024 bits"},
        {"p224-leaf", "the key of \"CN=leaf,O=Corpus\" is not accepted: its curve"},
        {"unknown-key", "the key of \"CN=leaf,O=Corpus\" is not accepted: its algorithm 1.3.101.113"},
        {"expired-intermediate", "\"CN=Old,O=Corpus\" was valid until 2025-01-01T00:00:00Z"},
        {"not-yet-valid", "\"CN=leaf,O=Corpus\" is not valid before 2027-01-01T00:00:00Z"},
        {"leaf-signs-leaf", "\"CN=Not a CA,O=Corpus\" signed a certificate but is not a CA"},
        {"server-certificate", "\"CN=leaf,O=Corpus\": its extendedKeyUsage has no clientAuth"},
        {"path-length-exceeded", "\"CN=Below,O=Corpus\" is one CA more than the path length above it allows"},
        {"critical-in-leaf", "\"CN=leaf,O=Corpus\" has the critical extension 1.3.6.1.4.1.99999.1, which is not supported"},
        {"names-dns-excluded-0",
         "the DNS name \"device.example.com\" of \"CN=device,O=Works,C=DE\" is excluded by \"CN=Limits,O=Corpus\""},
        {"names-ip-permitted-1",
         "the IP address \"10.2.2.3\" of \"CN=device,O=Works,C=DE\" is not permitted by \"CN=Limits,O=Corpus\""},
        {"names-subject-outside",
         "the directory name \"CN=device,O=Works,C=DE\" is not permitted by \"CN=Limits,O=Corpus\""},
        {"names-too-many", "\"CN=leaf,O=Corpus\" has too many names for the constraints above it"},
        {"names-of-unknown-form", "the name (of a form that cannot be compared) of \"CN=device,O=Works,C=DE\" is excluded "
                                  "by \"CN=Limits,O=Corpus\""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_detail(cases[i].file, cases[i].detail);
    }
}
