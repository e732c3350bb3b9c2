#include "support.h"
#include "x509/container.h"

#define DER(literal) bytes_of(literal, sizeof(literal) - 1)

Test(container, knows_pem_by_its_labels) {
    static const struct {
        const char *label;
        unsigned expected;
    } cases[] = {
        {"CERTIFICATE", CONTAINER_CERTIFICATE},
        {"PRIVATE KEY", CONTAINER_KEY},
        {"EC PRIVATE KEY", CONTAINER_KEY},
        {"RSA PRIVATE KEY", CONTAINER_KEY},
        {"ENCRYPTED PRIVATE KEY", CONTAINER_ENCRYPTED_KEY},
        {"X509 CRL", CONTAINER_CRL},
        {"CERTIFICATE REQUEST", CONTAINER_REQUEST},
        {"NEW CERTIFICATE REQUEST", CONTAINER_REQUEST},
        {"PUBLIC KEY", CONTAINER_PUBLIC_KEY},
        {"PKCS7", CONTAINER_PKCS7},
        {"OPENSSH PRIVATE KEY", CONTAINER_OPENSSH_KEY},
        {"TRUSTED CERTIFICATE", CONTAINER_TRUSTED},
        {"DH PARAMETERS", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, "\xef\xbb\xbf-----BEGIN %s-----\r\nAAAA\r\n-----END %s-----\r\n", cases[i].label,
                 cases[i].label);
        cr_assert_eq(container_read(bytes_of_string(text)), cases[i].expected, "%s", cases[i].label);
    }
}

Test(container, names_all_blocks) {
    cr_assert_eq(container_read(bytes_of_string("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
                                                "-----BEGIN EC PARAMETERS-----\nAAAA\n-----END EC PARAMETERS-----\n"
                                                "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")),
                 CONTAINER_CERTIFICATE | CONTAINER_KEY);
    cr_assert_eq(container_read(bytes_of_string("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
                                                "DEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n")),
                 CONTAINER_ENCRYPTED_KEY);
}

Test(container, knows_der_by_its_form) {
    cr_assert_eq(container_read(DER("\x30\x0c\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x00")),
                 CONTAINER_KEY | CONTAINER_BINARY, "PKCS #8");
    cr_assert_eq(container_read(DER("\x30\x05\x02\x01\x01\x04\x00")), CONTAINER_KEY | CONTAINER_BINARY, "SEC 1");
    cr_assert_eq(container_read(DER("\x30\x09\x02\x01\x00\x02\x01\x05\x02\x01\x03")), CONTAINER_KEY | CONTAINER_BINARY,
                 "PKCS #1");
    cr_assert_eq(container_read(DER("\x30\x09\x30\x05\x06\x03\x2a\x03\x04\x04\x00")),
                 CONTAINER_ENCRYPTED_KEY | CONTAINER_BINARY);
    cr_assert_eq(container_read(DER("\x30\x0a\x30\x05\x06\x03\x2b\x65\x70\x03\x01\x00")),
                 CONTAINER_PUBLIC_KEY | CONTAINER_BINARY);
    cr_assert_eq(container_read(DER("\x30\x05\x02\x01\x03\x30\x00")), CONTAINER_PKCS12 | CONTAINER_BINARY);
    cr_assert_eq(container_read(DER("\x30\x80\x02\x01\x03\x30\x80")), CONTAINER_PKCS12 | CONTAINER_BINARY);
    cr_assert_eq(container_read(DER("\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02")),
                 CONTAINER_PKCS7 | CONTAINER_BINARY);
    cr_assert_eq(container_read(DER("\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80")),
                 CONTAINER_PKCS7 | CONTAINER_BINARY);
    cr_assert_eq(container_read(DER("\xfe\xed\xfe\xed\x00\x00\x00\x02")), CONTAINER_KEYSTORE | CONTAINER_BINARY);
}

Test(container, knows_certificates_and_lists) {
    struct bytes chain[SUPPORT_CHAIN_MAX];
    size_t count = support_chain(CORPUS "/roots", "root.pem", chain);
    cr_assert_eq(container_read(chain[0]), CONTAINER_CERTIFICATE | CONTAINER_BINARY);
    support_free_chain(chain, count);
    struct bytes list = support_read(CORPUS "/../../config/data", "root2.der.crl");
    cr_assert_eq(container_read(list), CONTAINER_CRL | CONTAINER_BINARY);
    support_free(list);
}

Test(container, knows_nothing_of_anything_else) {
    static const char *const texts[] = {
        "", "0", "this is no certificate\n", "0\x80", "\x30\x03\x02\x01", "\x30\x00", "-----BEGIN CERTIFICATE-----\nAA\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        cr_assert_eq(container_read(bytes_of_string(texts[i])), 0, "%zu", i);
    }
    /* However much of a file is there, nothing past its end is read. */
    struct bytes list = support_read(CORPUS "/../../config/data", "root2.der.crl");
    for (size_t size = 0; size < list.size; size++) {
        uint8_t *part = malloc(size + 1);
        memcpy(part, list.data, size);
        cr_assert_eq(container_read(bytes_of(part, size)), 0);
        free(part);
    }
    support_free(list);
}
