#include "x509/crl.h"

#include "base/check.h"
#include "x509/certificate.h"
#include "x509/der.h"
#include "x509/extension.h"
#include "x509/general_name.h"
#include "x509/name.h"
#include "x509/oid.h"
#include "x509/signed.h"

enum { DER_ENUMERATED = 0x0a, REASON_UNUSED = 7, REASON_REMOVE = 8, REASON_LAST = 10 };

/* Reads the version, which is OPTIONAL without a default: it is 1 where it is absent, and only 1 (v2) may be written. */
static bool read_version(struct crl *crl, struct bytes *tbs) {
    crl->version = 1;
    if (tbs->size == 0 || tbs->data[0] != DER_INTEGER) {
        return true;
    }
    crl->version = 2;
    uint32_t version;
    return der_read_small(tbs, &version) && version == 1;
}

static bool read_dates(struct crl *crl, struct bytes *tbs) {
    crl->next_update = INT64_MAX;
    if (!der_read_time(tbs, &crl->this_update)) {
        return false;
    }
    if (tbs->size > 0 && (tbs->data[0] == DER_UTC_TIME || tbs->data[0] == DER_GENERALIZED_TIME)) {
        return der_read_time(tbs, &crl->next_update) && crl->next_update >= crl->this_update;
    }
    return true;
}

/* Reads an IMPLICIT BOOLEAN DEFAULT FALSE. */
static bool read_flag(struct bytes *in, uint8_t number, bool *flag) {
    struct bytes content;
    bool present;
    *flag = false;
    if (!der_read_optional(in, DER_CONTEXT | number, &content, &present)) {
        return false;
    }
    if (present) {
        *flag = content.size == 1 && content.data[0] == 0xff;
        /* An explicit FALSE is not DER, but every reader takes it alike. */
        return *flag || (content.size == 1 && content.data[0] == 0);
    }
    return true;
}

/* Reads a DistributionPointName (section 4.2.1.13) without its own EXPLICIT tag. */
static bool read_point_name(struct crl *crl, struct bytes in) {
    struct der name;
    if (!der_next(&in, &name) || in.size > 0 || name.content.size == 0) {
        return false;
    }
    if (name.tag == (DER_CONTEXT_CONSTRUCTED | 1)) {
        crl->point_relative = name.content;
        return true;
    }
    if (name.tag != (DER_CONTEXT_CONSTRUCTED | 0)) {
        return false;
    }
    crl->point_names = name.content;
    struct bytes rest = name.content;
    for (size_t count = 0; rest.size > 0; count++) {
        uint8_t tag;
        struct bytes general;
        if (count == CRL_POINT_NAMES_MAX || !general_name_read(&rest, GENERAL_NAME_IP_SIZE, &tag, &general) ||
            general.size == 0) {
            return false;
        }
    }
    return true;
}

static const char *read_issuing_distribution_point(struct crl *crl, struct bytes value) {
    static const char *const malformed = "its issuingDistributionPoint cannot be read";
    struct bytes content;
    struct bytes name;
    struct bytes reasons;
    bool has_name;
    bool has_reasons;
    bool is_indirect;
    bool only_attributes;
    if (!der_only(value, DER_SEQUENCE, &content) || content.size == 0 ||
        !der_read_optional(&content, DER_CONTEXT_CONSTRUCTED | 0, &name, &has_name) ||
        !read_flag(&content, 1, &crl->only_user_certificates) || !read_flag(&content, 2, &crl->only_ca_certificates) ||
        !der_read_optional(&content, DER_CONTEXT | 3, &reasons, &has_reasons) || !read_flag(&content, 4, &is_indirect) ||
        !read_flag(&content, 5, &only_attributes) || content.size > 0) {
        return malformed;
    }
    if (has_name && !read_point_name(crl, name)) {
        return malformed;
    }
    if (crl->only_user_certificates + crl->only_ca_certificates + only_attributes > 1) {
        return malformed;
    }
    if (has_reasons) {
        return "it is for some reasons of revocation only, which is not supported";
    }
    if (is_indirect) {
        return "it is an indirect CRL, which is not supported";
    }
    return only_attributes ? "it is for attribute certificates only" : NULL;
}

static const char *read_extension(struct crl *crl, const struct extension *extension) {
    if (bytes_equal(extension->oid, OID_AUTHORITY_KEY_IDENTIFIER)) {
        bool good = extension_read_authority_key(extension->value, &crl->aki);
        return good ? NULL : "its authorityKeyIdentifier cannot be read";
    }
    if (bytes_equal(extension->oid, OID_CRL_NUMBER)) {
        struct bytes value = extension->value;
        struct bytes number;
        bool good = certificate_read_serial(&value, &number) && value.size == 0 && number.data[0] < 0x80;
        return good ? NULL : "its cRLNumber is no number of at most 20 octets";
    }
    if (bytes_equal(extension->oid, OID_ISSUING_DISTRIBUTION_POINT)) {
        return read_issuing_distribution_point(crl, extension->value);
    }
    if (bytes_equal(extension->oid, OID_DELTA_CRL_INDICATOR)) {
        return "it is a delta CRL, which is not supported";
    }
    return extension->critical ? "it has a critical extension that is not supported" : NULL;
}

static const char *read_extensions(struct crl *crl, struct bytes extensions) {
    struct bytes rest = extensions;
    for (size_t count = 0; rest.size > 0; count++) {
        if (count == CRL_EXTENSIONS_MAX) {
            return "it has more than 32 extensions";
        }
        struct extension extension;
        if (!extension_read(&rest, &extension)) {
            return "its extensions cannot be read";
        }
        if (extension_occurred_before(extensions, count, extension.oid)) {
            return "it has the same extension twice";
        }
        const char *why = read_extension(crl, &extension);
        if (why != NULL) {
            return why;
        }
    }
    return NULL;
}

static const char *read_tbs(struct crl *crl, struct bytes tbs, struct algorithm *algorithm) {
    if (tbs.size > 0 && tbs.data[0] == (DER_CONTEXT_CONSTRUCTED | 0)) {
        return "it is no CRL: it begins as a certificate does";
    }
    if (!read_version(crl, &tbs)) {
        return "its version is not 1 or 2";
    }
    if (!algorithm_read(&tbs, algorithm)) {
        return "its signature algorithm cannot be read";
    }
    struct der issuer;
    if (!der_next(&tbs, &issuer) || !name_is_valid(issuer.whole) || name_is_empty(issuer.whole)) {
        return "its issuer is no valid name";
    }
    crl->issuer = issuer.whole;
    if (!read_dates(crl, &tbs)) {
        return "its thisUpdate or nextUpdate cannot be read";
    }
    bool present;
    /* RFC 5280 wants an empty list left out. Some CAs write it, and it can mean nothing else. */
    if (!der_read_optional(&tbs, DER_SEQUENCE, &crl->entries, &present)) {
        return "its list of revoked certificates cannot be read";
    }
    struct bytes explicit;
    if (!der_read_optional(&tbs, DER_CONTEXT_CONSTRUCTED | 0, &explicit, &present) || tbs.size > 0) {
        return "it has more fields than a CRL has";
    }
    if (!present) {
        return NULL;
    }
    struct bytes extensions;
    if (crl->version != 2 || !der_only(explicit, DER_SEQUENCE, &extensions) || extensions.size == 0) {
        return "its extensions cannot be read";
    }
    return read_extensions(crl, extensions);
}

bool crl_read(struct crl *crl, struct bytes der, const char **why) {
    *crl = (struct crl){.der = der};
    struct bytes content;
    if (der.size > CRL_SIZE_MAX || !der_only(der, DER_SEQUENCE, &content)) {
        *why = "it is not one DER structure";
        return false;
    }
    struct signed_parts parts;
    if (!signed_read(content, &parts)) {
        *why = "it is no CRL with a signature of whole octets";
        return false;
    }
    crl->tbs = parts.tbs;
    crl->signature_algorithm = parts.algorithm;
    crl->signature = parts.signature;
    struct algorithm inner;
    *why = read_tbs(crl, parts.content, &inner);
    if (*why == NULL && !algorithm_equal(&inner, &parts.algorithm)) {
        *why = "the two places that name its signature algorithm differ";
    }
    return *why == NULL;
}

static const char *read_reason(struct bytes value, uint8_t *reason) {
    struct bytes content;
    if (!der_only(value, DER_ENUMERATED, &content) || content.size != 1 || content.data[0] > REASON_LAST ||
        content.data[0] == REASON_UNUSED) {
        return "its reason cannot be read";
    }
    *reason = content.data[0];
    return *reason == REASON_REMOVE ? "it is removed from the CRL, which only a delta CRL can say" : NULL;
}

static const char *read_entry_extensions(struct crl_entry *entry, struct bytes extensions) {
    struct bytes rest = extensions;
    for (size_t count = 0; rest.size > 0; count++) {
        struct extension extension;
        if (count == CRL_ENTRY_EXTENSIONS_MAX || !extension_read(&rest, &extension)) {
            return "its extensions cannot be read";
        }
        if (extension_occurred_before(extensions, count, extension.oid)) {
            return "it has the same extension twice";
        }
        if (bytes_equal(extension.oid, OID_CRL_REASON)) {
            const char *why = read_reason(extension.value, &entry->reason);
            if (why != NULL) {
                return why;
            }
        } else if (bytes_equal(extension.oid, OID_CERTIFICATE_ISSUER)) {
            return "it names an issuer of its own, as in an indirect CRL, which is not supported";
        } else if (extension.critical) {
            return "it has a critical extension that is not supported";
        }
    }
    return NULL;
}

enum crl_result crl_next_entry(const struct crl *crl, struct bytes *entries, struct crl_entry *entry, const char **why) {
    if (entries->size == 0) {
        return CRL_END;
    }
    entry->reason = 0;
    struct bytes extensions;
    bool present;
    struct bytes content;
    *why = NULL;
    if (!der_read(entries, DER_SEQUENCE, &content)) {
        *why = "it cannot be read";
    } else if (!certificate_read_serial(&content, &entry->serial)) {
        *why = "its serial number is no integer of at most 20 octets";
    } else if (!der_read_time(&content, &entry->date)) {
        *why = "its date cannot be read";
    } else if (!der_read_optional(&content, DER_SEQUENCE, &extensions, &present) || content.size > 0 ||
               (present && (crl->version != 2 || extensions.size == 0))) {
        *why = "its extensions cannot be read";
    } else if (present) {
        *why = read_entry_extensions(entry, extensions);
    }
    return *why == NULL ? CRL_ENTRY : CRL_ERROR;
}

const char *crl_reason_text(uint8_t reason) {
    static const char *const texts[] = {
        [1] = "key compromise",         [2] = "CA compromise",
        [3] = "affiliation changed",    [4] = "superseded",
        [5] = "cessation of operation", [6] = "on hold",
        [9] = "privilege withdrawn",    [10] = "attribute authority compromise",
    };
    return reason < ARRAY_LENGTH(texts) ? texts[reason] : NULL;
}
