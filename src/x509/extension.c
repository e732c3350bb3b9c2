#include "x509/extension.h"

#include "base/check.h"
#include "x509/der.h"
#include "x509/name.h"
#include "x509/oid.h"

bool extension_read(struct bytes *in, struct certificate_extension *extension) {
    struct bytes content;
    if (!der_read(in, DER_SEQUENCE, &content) || !der_read_oid(&content, &extension->oid)) {
        return false;
    }
    extension->critical = false;
    /* An explicit FALSE is not DER (it is the default), but common enough and means the same to everybody. */
    if (content.size > 0 && content.data[0] == DER_BOOLEAN && !der_read_boolean(&content, &extension->critical)) {
        return false;
    }
    return der_read(&content, DER_OCTET_STRING, &extension->value) && content.size == 0;
}

bool certificate_next_extension(struct bytes *extensions, struct certificate_extension *extension) {
    if (extensions->size == 0) {
        return false;
    }
    CHECK(extension_read(extensions, extension));
    return true;
}

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
        if (bytes_equal(purpose, OID_EKU_CLIENT_AUTH) || bytes_equal(purpose, OID_EKU_ANY)) {
            certificate->allows_client_auth = true;
        }
    }
    return NULL;
}

static const char *read_subject_key_identifier(struct certificate *certificate, struct bytes value) {
    if (!der_only(value, DER_OCTET_STRING, &certificate->ski) || certificate->ski.size == 0) {
        return "its subjectKeyIdentifier cannot be read";
    }
    return NULL;
}

bool extension_read_authority_key(struct bytes value, struct bytes *key) {
    struct bytes content;
    struct bytes ignored;
    bool has_key;
    bool has_issuer;
    bool has_serial;
    if (!der_only(value, DER_SEQUENCE, &content) || !der_read_optional(&content, DER_CONTEXT | 0, key, &has_key) ||
        !der_read_optional(&content, DER_CONTEXT_CONSTRUCTED | 1, &ignored, &has_issuer) ||
        !der_read_optional(&content, DER_CONTEXT | 2, &ignored, &has_serial) || content.size > 0) {
        return false;
    }
    return !has_key || key->size > 0;
}

static const char *read_authority_key_identifier(struct certificate *certificate, struct bytes value) {
    return extension_read_authority_key(value, &certificate->aki) ? NULL : "its authorityKeyIdentifier cannot be read";
}

/* Names that go into headers and comparisons are printable ASCII: a NUL or a line break in one is an attack. */
static bool is_printable_ascii(struct bytes text) {
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < 0x20 || text.data[i] > 0x7e) {
            return false;
        }
    }
    return true;
}

bool extension_name_is_valid(uint8_t tag, struct bytes value, size_t ip_size) {
    switch (tag) {
    case GENERAL_NAME_EMAIL:
    case GENERAL_NAME_DNS:
    case GENERAL_NAME_URI:
        return is_printable_ascii(value);
    case GENERAL_NAME_IP:
        return value.size == ip_size || value.size == 4 * ip_size;
    case GENERAL_NAME_DIRECTORY:
        return name_is_valid(value);
    case GENERAL_NAME_ID:
        return der_oid_is_valid(value);
    case GENERAL_NAME_OTHER:
    case GENERAL_NAME_X400:
    case GENERAL_NAME_EDI:
        return true;
    default:
        return false;
    }
}

static const char *read_alternative_names(struct certificate *certificate, struct bytes value) {
    struct bytes names;
    if (!der_only(value, DER_SEQUENCE, &names) || names.size == 0) {
        return "its subjectAltName cannot be read";
    }
    certificate->san = names;
    while (names.size > 0) {
        struct der name;
        if (!der_next(&names, &name) || name.content.size == 0 || !extension_name_is_valid(name.tag, name.content, 4)) {
            return "its subjectAltName holds a name that is malformed";
        }
    }
    return NULL;
}

static bool read_subtree(struct bytes *in, struct der *base) {
    struct bytes content;
    /* minimum and maximum are not used by any profile (RFC 5280 section 4.2.1.10): whoever sends them is refused. */
    return der_read(in, DER_SEQUENCE, &content) && der_next(&content, base) && content.size == 0;
}

static bool subtrees_are_valid(struct bytes subtrees) {
    while (subtrees.size > 0) {
        struct der base;
        if (!read_subtree(&subtrees, &base) || !extension_name_is_valid(base.tag, base.content, 8)) {
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

bool extension_next_name(struct bytes *names, uint8_t *tag, struct bytes *value) {
    if (names->size == 0) {
        return false;
    }
    struct der name;
    CHECK(der_next(names, &name));
    *tag = name.tag;
    *value = name.content;
    return true;
}

bool extension_next_subtree(struct bytes *subtrees, uint8_t *tag, struct bytes *base) {
    if (subtrees->size == 0) {
        return false;
    }
    struct der element;
    CHECK(read_subtree(subtrees, &element));
    *tag = element.tag;
    *base = element.content;
    return true;
}

/*
 * Policies are not asked for, so two of their extensions cannot change a verdict and may be critical: which policies there
 * are, and whether "any" is one. The others (mappings, requireExplicitPolicy) can, and are refused when critical.
 */
static const char *accept_policies(struct certificate *certificate, struct bytes value) {
    return NULL;
}

static const char *read_value(struct certificate *certificate, const struct certificate_extension *extension) {
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

bool extension_occurred_before(struct bytes extensions, size_t count, struct bytes oid) {
    struct certificate_extension extension;
    for (size_t i = 0; i < count; i++) {
        CHECK(extension_read(&extensions, &extension));
        if (bytes_equal(extension.oid, oid)) {
            return true;
        }
    }
    return false;
}

/* As extension_occurred_before, of types that have been read already: anybody may send a chain of certificates with many. */
static bool is_among(const struct bytes *types, size_t count, struct bytes type) {
    for (size_t i = 0; i < count; i++) {
        if (bytes_equal(types[i], type)) {
            return true;
        }
    }
    return false;
}

const char *extension_read_all(struct certificate *certificate) {
    struct bytes types[CERTIFICATE_EXTENSIONS_MAX];
    struct bytes rest = certificate->extensions;
    for (size_t count = 0; rest.size > 0; count++) {
        struct certificate_extension extension;
        if (count == CERTIFICATE_EXTENSIONS_MAX) {
            return "it has more than 64 extensions";
        }
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
