/* Whatever comes: a certificate whose views lie within the bytes and whose fields are fit for a header, or a reason why not.
 */
#include "base/check.h"
#include "base/hash.h"
#include "x509/general_name.h"
#include "x509/name.h"
#include "x509/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct bytes part, const uint8_t *data, size_t size) {
    CHECK(part.size == 0 || (part.data >= data && part.size <= size && part.data - data <= (ptrdiff_t)(size - part.size)));
}

static void check_views(const struct certificate *certificate, const uint8_t *data, size_t size) {
    const struct bytes parts[] = {
        certificate->der,       certificate->tbs,       certificate->serial,     certificate->issuer,
        certificate->subject,   certificate->spki,      certificate->key,        certificate->key_algorithm.oid,
        certificate->signature, certificate->ski,       certificate->extensions, certificate->aki,
        certificate->san,       certificate->permitted, certificate->excluded,   certificate->unknown_critical,
    };
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++) {
        check_inside(parts[i], data, size);
    }
    CHECK(certificate->serial.size >= 1 && certificate->serial.size <= CERTIFICATE_SERIAL_MAX + 1);
}

static void check_name(struct bytes name) {
    static char buffer[1 << 20];
    struct text text = text_over(buffer, sizeof buffer);
    CHECK(name_is_valid(name) && name_equal(name, name) && name_is_within(name, name));
    name_append_text(&text, name);
    for (size_t i = 0; i < text.size; i++) {
        CHECK((uint8_t)buffer[i] >= 0x20 && buffer[i] != 0x7f);
    }
}

static void check_lists(const struct certificate *certificate, const uint8_t *data, size_t size) {
    struct extension extension;
    struct extension found;
    for (struct bytes rest = certificate->extensions; certificate_next_extension(&rest, &extension);) {
        check_inside(extension.value, data, size);
        CHECK(certificate_find_extension(certificate, extension.oid, &found) && found.value.data == extension.value.data);
    }
    uint8_t tag;
    struct bytes value;
    for (struct bytes rest = certificate->san; general_name_next(&rest, &tag, &value);) {
        check_inside(value, data, size);
        CHECK(tag != GENERAL_NAME_DNS || memchr(value.data, '\0', value.size) == NULL);
    }
    for (struct bytes rest = certificate->permitted; general_name_next_subtree(&rest, &tag, &value);) {
        check_inside(value, data, size);
    }
    for (struct bytes rest = certificate->excluded; general_name_next_subtree(&rest, &tag, &value);) {
        check_inside(value, data, size);
    }
}

/* libFuzzer's own hook, once before any input. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv) {
    hash_init();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *why = NULL;
    struct certificate certificate;
    if (!certificate_read(&certificate, bytes_of(data, size), &why)) {
        CHECK(why != NULL);
        return 0;
    }
    check_views(&certificate, data, size);
    check_name(certificate.subject);
    check_name(certificate.issuer);
    CHECK(!name_equal(certificate.issuer, certificate.subject) ||
          name_hash(certificate.issuer) == name_hash(certificate.subject));
    check_lists(&certificate, data, size);
    struct signature_key key;
    if (signature_judge_key(&certificate, &key) == REASON_OK) {
        check_inside(key.point, data, size);
        check_inside(key.modulus, data, size);
        CHECK(key.bits <= SIGNATURE_RSA_BITS_MAX);
    }
    struct signature_algorithm algorithm;
    signature_judge_algorithm(&certificate.signature_algorithm, &algorithm);
    return 0;
}
