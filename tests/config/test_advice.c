#include "changes.h"
#include "config/advice.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define PEM(label) "-----BEGIN " label "-----\nAAAA\n-----END " label "-----\n"

static void expect(const char *content, size_t size, enum advice_wanted wanted, const char *path, const char *expected) {
    char *text = advice_for(bytes_of(content, size), wanted, path);
    cr_assert_not_null(text, "%s", expected);
    cr_assert_not_null(strstr(text, expected), "%s", text);
    free(text);
}

Test(advice, says_the_command) {
    static const char pkcs12[] = "\x30\x05\x02\x01\x03\x30";
    static const char key[] = "\x30\x05\x02\x01\x01\x04";
    static const char encrypted[] = "\x30\x09\x30\x05\x06\x03\x2a\x03\x04\x04";
    expect(pkcs12, sizeof pkcs12, ADVICE_CHAIN, "a.p12",
           "is PKCS #12, not PEM; take the certificates out of it: openssl pkcs12 -in a.p12 -nokeys -out a.p12.pem");
    expect(pkcs12, sizeof pkcs12, ADVICE_KEY, "a.p12", "openssl pkcs12 -in a.p12 -nocerts -nodes -out a.p12.key");
    expect(pkcs12, sizeof pkcs12, ADVICE_ROOTS, "a.p12", "openssl pkcs12 -in a.p12 -nokeys -cacerts -out a.p12.pem");
    expect(key, sizeof key, ADVICE_KEY, "/my keys/it's.key",
           "openssl pkey -inform DER -in '/my keys/it'\\''s.key' -out '/my keys/it'\\''s.key'.pem");
    expect(encrypted, sizeof encrypted, ADVICE_KEY, "k", "openssl pkcs8 -inform DER -in k -out k.pem");
}

Test(advice, says_what_it_is_instead) {
    static const char request[] = PEM("CERTIFICATE REQUEST");
    static const char key[] = PEM("PRIVATE KEY");
    static const char list[] = PEM("X509 CRL");
    static const char certificate[] = PEM("CERTIFICATE");
    expect(request, sizeof request - 1, ADVICE_CHAIN, "f", "is a certificate request; name the certificate");
    expect(key, sizeof key - 1, ADVICE_CHAIN, "f", "is a private key, not a certificate");
    expect(key, sizeof key - 1, ADVICE_ROOTS, "f", "keep the key of a root away from this machine");
    expect(list, sizeof list - 1, ADVICE_ROOTS, "f", "is a revocation list: it belongs in client_auth.crl");
    expect(certificate, sizeof certificate - 1, ADVICE_KEY, "f", "is a certificate, not a private key");
    expect(certificate, sizeof certificate - 1, ADVICE_LISTS, "f", "roots belong in client_auth.ca");
}

Test(advice, is_silent_on_the_right_kind) {
    static const char both[] = PEM("CERTIFICATE") PEM("PRIVATE KEY");
    cr_assert_null(advice_for(bytes_of_string(both), ADVICE_CHAIN, "f"));
    cr_assert_null(advice_for(bytes_of_string(both), ADVICE_KEY, "f"));
    cr_assert_null(advice_for(bytes_of_string("text"), ADVICE_ROOTS, "f"));
    cr_assert_null(advice_for(bytes_of_string(PEM("X509 CRL")), ADVICE_LISTS, "f"));
}

Test(advice, comes_with_the_line, .init = changes_set_up, .fini = changes_tear_down) {
    static const struct change changes[] = {
        {"    certificate: server.pem\n    key: server.key", "    certificate: server.key\n    key: server.pem", 15,
         "certificate and key are swapped: /tmp/"},
        {"    certificate: server.pem", "    certificate: server.key", 15, "server.key is a private key, not a certificate"},
        {"    key: server.key", "    key: server.pem", 16, "server.pem is a certificate, not a private key"},
        {"    key: server.key", "    key: encrypted.key", 16, "encrypted.key is encrypted, and nobody is there"},
        {"    certificate: server.pem", "    certificate: root2.der.crl", 15, "is a revocation list, not a certificate"},
        {"root2.pem", "root.crl", 20, "root.crl is a revocation list: it belongs in client_auth.crl"},
        {"      max_depth: 4", "      crl: [root.pem]", 21, "root.pem is a certificate, not a revocation list"},
    };
    ASSERT_PROBLEMS(changes);
}
