#include "x509/extension.h"

#include "base/check.h"
#include "x509/der.h"

bool extension_read(struct bytes *in, struct extension *extension) {
    struct bytes content;
    if (!der_read(in, DER_SEQUENCE, &content) || !der_read_oid(&content, &extension->oid)) {
        return false;
    }
    extension->critical = false;
    /* An explicit FALSE is not DER, since FALSE is the default; but it is common, and every reader takes it alike. */
    if (content.size > 0 && content.data[0] == DER_BOOLEAN && !der_read_boolean(&content, &extension->critical)) {
        return false;
    }
    return der_read(&content, DER_OCTET_STRING, &extension->value) && content.size == 0;
}

bool extension_occurred_before(struct bytes extensions, size_t count, struct bytes oid) {
    struct extension extension;
    for (size_t i = 0; i < count; i++) {
        CHECK(extension_read(&extensions, &extension));
        if (bytes_equal(extension.oid, oid)) {
            return true;
        }
    }
    return false;
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
