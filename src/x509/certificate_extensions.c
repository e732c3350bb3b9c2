/* The extensions of a certificate that path validation and the forwarded fields need (RFC 5280 section 4.2). */
#include "base/check.h"
#include "x509/certificate.h"
#include "x509/der.h"
#include "x509/oid.h"

static const char *read_basic_constraints(struct certificate *certificate, struct bytes value) {
    struct bytes content;
    if (!der_only(value, DER_SEQUENCE, &content)) {
        return "its basicConstraints cannot be read";
    }
    if (content.size > 0 && content.data[0] == DER_BOOLEAN && !der_read_boolean(&content, &certificate->is_ca)) {
        return "its basicConstraints cannot be read";
    }
    if (content.size > 0) {
        certificate->has_path_length = true;
        if (!der_read_small(&content, &certificate->path_length) || content.size > 0) {
            return "its basicConstraints cannot be read";
        }
    }
    return NULL;
}

static const char *read_key_usage(struct certificate *certificate, struct bytes value) {
    struct bytes bits;
    unsigned unused;
    if (!der_read_bits(&value, &bits, &unused) || value.size > 0 || bits.size > 2) {
        return "its keyUsage cannot be read";
    }
    certificate->has_key_usage = true;
    for (unsigned bit = 0; bit < 8 * bits.size; bit++) {
        if ((bits.data[bit / 8] & 0x80 >> bit % 8) != 0) {
            certificate->key_usage |= (uint16_t)(1u << bit);
        }
    }
    return NULL;
}

static const char *read_extended_key_usage(struct certificate *certificate, struct bytes value) {
    struct bytes content;
    if (!der_only(value, DER_SEQUENCE, &content) || content.size == 0) {
        return "its extendedKeyUsage cannot be read";
    }
    certificate->has_extended_key_usage = true;
    while (content.size > 0) {
        struct bytes purpose;
        if (!der_read_oid(&content, &purpose)) {
            return "its extendedKeyUsage cannot be read";
        }
        bool is_any = bytes_equal(purpose, OID_EKU_ANY);
        certificate->allows_client_auth |= is_any || bytes_equal(purpose, OID_EKU_CLIENT_AUTH);
        certificate->allows_server_auth |= is_any || bytes_equal(purpose, OID_EKU_SERVER_AUTH);
    }
    return NULL;
}

static const char *read_subject_key_identifier(struct certificate *certificate, struct bytes value) {
    if (!der_only(value, DER_OCTET_STRING, &certificate->ski) || certificate->ski.size == 0) {
        return "its subjectKeyIdentifier cannot be read";
    }
    return NULL;
}

static const char *read_authority_key_identifier(struct certificate *certificate, struct bytes value) {
    return extension_read_authority_key(value, &certificate->aki) ? NULL : "its authorityKeyIdentifier cannot be read";
}

static const char *read_alternative_names(struct certificate *certificate, struct bytes value) {
    struct bytes names;
    if (!der_only(value, DER_SEQUENCE, &names) || names.size == 0) {
        return "its subjectAltName cannot be read";
    }
    certificate->san = names;
    while (names.size > 0) {
        uint8_t tag;
        struct bytes name;
        if (!general_name_read(&names, GENERAL_NAME_IP_SIZE, &tag, &name) || name.size == 0) {
            return "its subjectAltName holds a name that is malformed";
        }
    }
    return NULL;
}

static bool subtrees_are_valid(struct bytes subtrees) {
    while (subtrees.size > 0) {
        uint8_t tag;
        struct bytes base;
        if (!general_name_read_subtree(&subtrees, &tag, &base)) {
            return false;
        }
    }
    return true;
}

static const char *read_name_constraints(struct certificate *certificate, struct bytes value) {
    struct bytes content;
    bool has_permitted;
    bool has_excluded;
    if (!der_only(value, DER_SEQUENCE, &content) ||
        !der_read_optional(&content, DER_CONTEXT_CONSTRUCTED | 0, &certificate->permitted, &has_permitted) ||
        !der_read_optional(&content, DER_CONTEXT_CONSTRUCTED | 1, &certificate->excluded, &has_excluded) ||
        content.size > 0 || (!has_permitted && !has_excluded) || !subtrees_are_valid(certificate->permitted) ||
        !subtrees_are_valid(certificate->excluded)) {
        return "its nameConstraints cannot be read";
    }
    return NULL;
}

/*
 * No policies are asked for, so two of their extensions cannot change a verdict and may be critical: certificatePolicies
 * and inhibitAnyPolicy. The others (mappings, requireExplicitPolicy) can change one, and are refused when critical.
 */
static const char *accept_policies(struct certificate *certificate, struct bytes value) {
    return NULL;
}

static const char *read_value(struct certificate *certificate, const struct extension *extension) {
    const struct {
        struct bytes oid;
        const char *(*read)(struct certificate *certificate, struct bytes value);
    } known[] = {
        {OID_BASIC_CONSTRAINTS, read_basic_constraints},
        {OID_KEY_USAGE, read_key_usage},
        {OID_EXTENDED_KEY_USAGE, read_extended_key_usage},
        {OID_SUBJECT_ALT_NAME, read_alternative_names},
        {OID_SUBJECT_KEY_IDENTIFIER, read_subject_key_identifier},
        {OID_AUTHORITY_KEY_IDENTIFIER, read_authority_key_identifier},
        {OID_NAME_CONSTRAINTS, read_name_constraints},
        {OID_CERTIFICATE_POLICIES, accept_policies},
        {OID_INHIBIT_ANY_POLICY, accept_policies},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(known); i++) {
        if (bytes_equal(extension->oid, known[i].oid)) {
            return known[i].read(certificate, extension->value);
        }
    }
    if (extension->critical && certificate->unknown_critical.size == 0) {
        certificate->unknown_critical = extension->oid;
    }
    return NULL;
}

/* Does as extension_occurred_before, but parses nothing again: a client may send a chain of certificates with many. */
static bool is_among(const struct bytes *types, size_t count, struct bytes type) {
    for (size_t i = 0; i < count; i++) {
        if (bytes_equal(types[i], type)) {
            return true;
        }
    }
    return false;
}

const char *certificate_read_extensions(struct certificate *certificate) {
    struct bytes rest = certificate->extensions;
    struct bytes types[CERTIFICATE_EXTENSIONS_MAX];
    for (size_t count = 0; rest.size > 0; count++) {
        if (count == CERTIFICATE_EXTENSIONS_MAX) {
            return "it has more than 64 extensions";
        }
        struct extension extension;
        if (!extension_read(&rest, &extension)) {
            return "its extensions cannot be read";
        }
        if (is_among(types, count, extension.oid)) {
            return "it has the same extension twice";
        }
        types[count] = extension.oid;
        const char *why = read_value(certificate, &extension);
        if (why != NULL) {
            return why;
        }
    }
    return NULL;
}
