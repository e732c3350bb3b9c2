#include "x509/certificate.h"

#include "base/check.h"
#include "x509/der.h"
#include "x509/name.h"
#include "x509/signed.h"

enum { SERIAL_CONTENT_MAX = CERTIFICATE_SERIAL_MAX + 1 /* a sign octet */ };

/* Reads the version. It is DEFAULT v1, which DER leaves out. */
static bool read_version(struct certificate *certificate, struct bytes *in) {
    uint32_t version = 0;
    struct bytes explicit;
    bool present;
    if (!der_read_optional(in, DER_CONTEXT_CONSTRUCTED | 0, &explicit, &present)) {
        return false;
    }
    if (present && (!der_read_small(&explicit, &version) || explicit.size > 0 || version < 1 || version > 2)) {
        return false;
    }
    certificate->version = (uint8_t)(version + 1);
    return true;
}

bool certificate_read_serial(struct bytes *in, struct bytes *serial) {
    if (!der_read_integer(in, serial)) {
        return false;
    }
    return serial->size <= CERTIFICATE_SERIAL_MAX || (serial->size == SERIAL_CONTENT_MAX && serial->data[0] == 0);
}

static bool read_name(struct bytes *in, struct bytes *name) {
    struct der element;
    if (!der_next(in, &element) || !name_is_valid(element.whole)) {
        return false;
    }
    *name = element.whole;
    return true;
}

static bool read_validity(struct certificate *certificate, struct bytes *in) {
    struct bytes validity;
    return der_read(in, DER_SEQUENCE, &validity) && der_read_time(&validity, &certificate->not_before) &&
           der_read_time(&validity, &certificate->not_after) && validity.size == 0;
}

bool certificate_read_key(struct bytes *in, struct certificate *certificate) {
    struct der spki;
    if (!der_next(in, &spki) || spki.tag != DER_SEQUENCE) {
        return false;
    }
    certificate->spki = spki.whole;
    struct bytes content = spki.content;
    unsigned unused;
    return algorithm_read(&content, &certificate->key_algorithm) && der_read_bits(&content, &certificate->key, &unused) &&
           unused == 0 && content.size == 0;
}

/* Skips issuerUniqueID and subjectUniqueID: IMPLICIT BIT STRINGs that are in no use, and allowed from version 2 on. */
static bool skip_unique_ids(const struct certificate *certificate, struct bytes *in) {
    for (uint8_t number = 1; number <= 2; number++) {
        struct bytes id;
        bool present;
        if (!der_read_optional(in, DER_CONTEXT | number, &id, &present)) {
            return false;
        }
        if (present && (certificate->version < 2 || id.size == 0 || id.data[0] > 7)) {
            return false;
        }
    }
    return true;
}

static const char *read_tbs(struct certificate *certificate, struct bytes tbs, struct algorithm *signature) {
    if (!read_version(certificate, &tbs)) {
        return "its version is not 1, 2 or 3";
    }
    if (!certificate_read_serial(&tbs, &certificate->serial)) {
        return "its serial number is no integer of at most 20 octets";
    }
    if (!algorithm_read(&tbs, signature)) {
        return "its signature algorithm cannot be read";
    }
    if (!read_name(&tbs, &certificate->issuer) || name_is_empty(certificate->issuer)) {
        return "its issuer is no valid name";
    }
    if (!read_validity(certificate, &tbs)) {
        return "its validity cannot be read";
    }
    if (!read_name(&tbs, &certificate->subject)) {
        return "its subject is no valid name";
    }
    if (!certificate_read_key(&tbs, certificate)) {
        return "its public key cannot be read";
    }
    if (!skip_unique_ids(certificate, &tbs)) {
        return "its unique identifiers cannot be read";
    }
    struct bytes explicit;
    bool present;
    if (!der_read_optional(&tbs, DER_CONTEXT_CONSTRUCTED | 3, &explicit, &present) || tbs.size > 0) {
        return "it has more fields than a certificate has";
    }
    if (!present) {
        return NULL;
    }
    if (certificate->version != 3 || !der_only(explicit, DER_SEQUENCE, &certificate->extensions) ||
        certificate->extensions.size == 0) {
        return "its extensions cannot be read";
    }
    return certificate_read_extensions(certificate);
}

bool certificate_read(struct certificate *certificate, struct bytes der, const char **why) {
    *certificate = (struct certificate){.der = der};
    struct bytes content;
    if (der.size > CERTIFICATE_SIZE_MAX || !der_only(der, DER_SEQUENCE, &content)) {
        *why = "it is not one DER structure";
        return false;
    }
    struct signed_parts parts;
    if (!signed_read(content, &parts)) {
        *why = "it is no certificate with a signature of whole octets";
        return false;
    }
    certificate->tbs = parts.tbs;
    certificate->signature_algorithm = parts.algorithm;
    certificate->signature = parts.signature;
    struct algorithm inner;
    *why = read_tbs(certificate, parts.content, &inner);
    if (*why == NULL && !algorithm_equal(&inner, &parts.algorithm)) {
        *why = "the two places that name its signature algorithm differ";
    }
    return *why == NULL;
}

bool certificate_next_extension(struct bytes *extensions, struct extension *extension) {
    if (extensions->size == 0) {
        return false;
    }
    CHECK(extension_read(extensions, extension));
    return true;
}

bool certificate_find_extension(const struct certificate *certificate, struct bytes oid, struct extension *extension) {
    struct bytes rest = certificate->extensions;
    while (certificate_next_extension(&rest, extension)) {
        if (bytes_equal(extension->oid, oid)) {
            return true;
        }
    }
    return false;
}

bool certificate_is_self_issued(const struct certificate *certificate) {
    return name_equal(certificate->issuer, certificate->subject);
}
