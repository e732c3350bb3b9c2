#include "x509/container.h"

#include "base/check.h"
#include "x509/crl.h"
#include "x509/der.h"
#include "x509/leaf.h"
#include "x509/oid.h"
#include "x509/pem.h"

#define OID_PKCS7_SIGNED_DATA OID_VIEW("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02")

static const struct {
    const char *label;
    enum container container;
} labels[] = {
    {"CERTIFICATE", CONTAINER_CERTIFICATE},
    {"PRIVATE KEY", CONTAINER_KEY},
    {"EC PRIVATE KEY", CONTAINER_KEY},
    {"RSA PRIVATE KEY", CONTAINER_KEY},
    {"ENCRYPTED PRIVATE KEY", CONTAINER_ENCRYPTED_KEY},
    {"X509 CRL", CONTAINER_CRL},
    {"CERTIFICATE REQUEST", CONTAINER_REQUEST},
    {"NEW CERTIFICATE REQUEST", CONTAINER_REQUEST},
    {"PUBLIC KEY", CONTAINER_PUBLIC_KEY},
    {"RSA PUBLIC KEY", CONTAINER_PUBLIC_KEY},
    {"PKCS7", CONTAINER_PKCS7},
    {"OPENSSH PRIVATE KEY", CONTAINER_OPENSSH_KEY},
    {"TRUSTED CERTIFICATE", CONTAINER_TRUSTED},
};

static unsigned read_pem(struct bytes file) {
    struct pem_reader reader = pem_reader_of(file);
    unsigned found = 0;
    struct pem_block block;
    while (pem_next(&reader, &block) == PEM_BLOCK) {
        for (size_t i = 0; i < ARRAY_LENGTH(labels); i++) {
            found |= pem_label_is(&block, labels[i].label) ? (unsigned)labels[i].container : 0;
        }
    }
    /* A key that is encrypted in the older form has lines that are not base64, at which the reader stops. */
    static const char encrypted[] = "Proc-Type: 4,ENCRYPTED";
    bool is_encrypted = file.size > 0 && memmem(file.data, file.size, encrypted, sizeof encrypted - 1) != NULL;
    return found | (is_encrypted ? CONTAINER_ENCRYPTED_KEY : 0);
}

/* Reads the first elements in a SEQUENCE, up to three; the tag is 0 where there are fewer. */
static bool read_tags(struct bytes file, struct der elements[static 3]) {
    struct bytes content;
    if (!der_only(file, DER_SEQUENCE, &content)) {
        return false;
    }
    for (size_t i = 0; i < 3; i++) {
        elements[i] = (struct der){0};
        if (content.size > 0 && !der_next(&content, &elements[i])) {
            return false;
        }
    }
    return elements[0].tag != 0;
}

static bool begins_with_oid(struct bytes content, struct bytes expected) {
    struct bytes oid;
    return der_read_oid(&content, &oid) && (expected.size == 0 || bytes_equal(oid, expected));
}

/* Judges a SEQUENCE that begins with an INTEGER. */
static unsigned judge_numbered(const struct der elements[static 3]) {
    bool is_three = bytes_equal(elements[0].content, bytes_of("\x03", 1));
    if (is_three && elements[1].tag == DER_SEQUENCE) {
        return CONTAINER_PKCS12;
    }
    bool is_pkcs8 = elements[1].tag == DER_SEQUENCE && elements[2].tag == DER_OCTET_STRING;
    bool is_pkcs1 = elements[1].tag == DER_INTEGER && elements[2].tag == DER_INTEGER;
    return is_pkcs8 || is_pkcs1 || elements[1].tag == DER_OCTET_STRING ? CONTAINER_KEY : 0;
}

/* Judges a SEQUENCE of a SEQUENCE, an algorithm and a signature. */
static unsigned judge_signed(struct bytes file, const struct der elements[static 3]) {
    struct crl crl;
    const char *why;
    if (crl_read(&crl, file, &why)) {
        return CONTAINER_CRL;
    }
    struct certificate certificate;
    struct bytes validity;
    if (leaf_read(file, &certificate, &validity)) {
        return CONTAINER_CERTIFICATE;
    }
    struct der first[3];
    return read_tags(elements[0].whole, first) && first[0].tag == DER_INTEGER ? CONTAINER_REQUEST : 0;
}

static unsigned read_der(struct bytes file) {
    struct der elements[3];
    if (!read_tags(file, elements)) {
        return 0;
    }
    if (elements[0].tag == DER_INTEGER) {
        return judge_numbered(elements);
    }
    if (elements[0].tag == DER_OID) {
        return bytes_equal(elements[0].content, OID_PKCS7_SIGNED_DATA) ? CONTAINER_PKCS7 : 0;
    }
    if (elements[0].tag != DER_SEQUENCE) {
        return 0;
    }
    if (elements[1].tag == DER_OCTET_STRING && begins_with_oid(elements[0].content, bytes_of(NULL, 0))) {
        return CONTAINER_ENCRYPTED_KEY;
    }
    if (elements[1].tag == DER_BIT_STRING && begins_with_oid(elements[0].content, bytes_of(NULL, 0))) {
        return CONTAINER_PUBLIC_KEY;
    }
    return elements[1].tag == DER_SEQUENCE && elements[2].tag == DER_BIT_STRING ? judge_signed(file, elements) : 0;
}

/* Some programs write these with indefinite lengths, which DER does not have. */
static unsigned read_indefinite(struct bytes file) {
    static const uint8_t pkcs12[] = {0x30, 0x80, 0x02, 0x01, 0x03};
    static const uint8_t pkcs7[] = {0x30, 0x80, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02};
    if (file.size > sizeof pkcs12 && memcmp(file.data, pkcs12, sizeof pkcs12) == 0) {
        return CONTAINER_PKCS12;
    }
    return file.size > sizeof pkcs7 && memcmp(file.data, pkcs7, sizeof pkcs7) == 0 ? CONTAINER_PKCS7 : 0;
}

unsigned container_read(struct bytes file) {
    static const uint8_t keystore[] = {0xfe, 0xed, 0xfe, 0xed};
    unsigned binary = read_der(file);
    binary = binary != 0 ? binary : read_indefinite(file);
    unsigned found = binary != 0 ? binary | CONTAINER_BINARY : read_pem(file);
    /* This comes last, since any text may stand before PEM. */
    if (found == 0 && file.size > sizeof keystore && memcmp(file.data, keystore, sizeof keystore) == 0) {
        return CONTAINER_KEYSTORE | CONTAINER_BINARY;
    }
    return found;
}
