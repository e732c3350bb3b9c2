#include "identity/render.h"

#include "x509/general_name.h"
#include "x509/name.h"

enum {
    RENDER_SCRATCH_SIZE = 8 * 1024, /* a value that is longer before it is encoded is too long for a header afterwards */
    PEM_LINE_SIZE = 64,
};

/* Appends a value, with spaces at its ends as %20. Readers of headers drop such spaces, many of them in each part of a list
 * too, and "CN= x" must not read as the "CN=x" of somebody else. */
static void append_value(struct text *out, struct bytes value) {
    while (value.size > 0 && value.data[0] == ' ') {
        text_append_string(out, "%20");
        value = bytes_of(value.data + 1, value.size - 1);
    }
    size_t size = value.size;
    while (size > 0 && value.data[size - 1] == ' ') {
        size--;
    }
    text_append_header_value(out, bytes_of(value.data, size));
    for (size_t i = size; i < value.size; i++) {
        text_append_string(out, "%20");
    }
}

/* Appends the scratch buffer. A text that did not fit in the buffer does not fit in the value either. */
static void append_scratch(struct text *out, const struct text *scratch) {
    append_value(out, text_bytes(scratch));
    out->overflow = out->overflow || scratch->overflow;
}

static void append_dn(struct text *out, struct bytes name) {
    char buffer[RENDER_SCRATCH_SIZE];
    struct text text = text_over(buffer, sizeof buffer);
    name_append_text(&text, name);
    append_scratch(out, &text);
}

static bool render_dn(struct text *out, struct bytes name) {
    append_dn(out, name);
    return !name_is_empty(name);
}

static bool render_attribute(struct text *out, struct bytes name, const struct field *field) {
    struct name_attribute attribute;
    if (!name_find(name, bytes_of(field->oid, field->oid_size), &attribute)) {
        return false;
    }
    char buffer[RENDER_SCRATCH_SIZE];
    struct text text = text_over(buffer, sizeof buffer);
    name_append_value(&text, &attribute);
    append_scratch(out, &text);
    return true;
}

static bool render_hex(struct text *out, struct bytes bytes) {
    text_append_hex(out, bytes);
    return bytes.size > 0;
}

/* Writes a serial as `openssl x509 -serial` does, in lower case: the magnitude, and '-' before it when it is negative. */
static bool render_serial(struct text *out, struct bytes serial) {
    bool negative = (serial.data[0] & 0x80) != 0;
    unsigned carry = negative ? 1 : 0;
    uint8_t magnitude[CERTIFICATE_SERIAL_MAX + 1];
    for (size_t i = serial.size; i-- > 0;) {
        unsigned octet = (negative ? (uint8_t)~serial.data[i] : serial.data[i]) + carry;
        magnitude[i] = (uint8_t)octet;
        carry = octet >> 8;
    }
    size_t start = serial.size > 1 && magnitude[0] == 0 ? 1 : 0;
    if (negative) {
        text_append_char(out, '-');
    }
    text_append_hex(out, bytes_of(magnitude + start, serial.size - start));
    return true;
}

static void append_list_value(struct text *out, struct bytes value) {
    size_t from = 0;
    for (size_t i = 0; i <= value.size; i++) {
        if (i == value.size || value.data[i] == ',') {
            append_value(out, bytes_of(value.data + from, i - from));
            if (i < value.size) {
                text_append_string(out, "%2C");
            }
            from = i + 1;
        }
    }
}

static bool render_alternative_names(struct text *out, const struct certificate *certificate, enum general_name wanted) {
    bool present = false;
    uint8_t tag;
    struct bytes value;
    for (struct bytes rest = certificate->san; general_name_next(&rest, &tag, &value);) {
        if (tag != wanted) {
            continue;
        }
        if (present) {
            text_append_char(out, ',');
        }
        present = true;
        if (tag == GENERAL_NAME_IP) {
            general_name_append_ip(out, value);
        } else {
            append_list_value(out, value);
        }
    }
    return present;
}

static bool render_time(struct text *out, int64_t seconds) {
    text_append_time(out, seconds);
    return true;
}

static bool render_sha1(struct text *out, struct bytes data) {
    uint8_t digest[SIGNATURE_SHA1_SIZE];
    signature_sha1(data, digest);
    return render_hex(out, bytes_of(digest, sizeof digest));
}

static bool render_sha256(struct text *out, struct bytes data) {
    uint8_t digest[SIGNATURE_SHA256_SIZE];
    signature_sha256(data, digest);
    return render_hex(out, bytes_of(digest, sizeof digest));
}

static bool render_base64(struct text *out, struct bytes data) {
    text_append_base64(out, data);
    return true;
}

static void append_url_base64(struct text *out, struct bytes base64) {
    for (size_t i = 0; i < base64.size; i++) {
        switch (base64.data[i]) {
        case '+':
            text_append_string(out, "%2B");
            break;
        case '/':
            text_append_string(out, "%2F");
            break;
        case '=':
            text_append_string(out, "%3D");
            break;
        default:
            text_append_char(out, (char)base64.data[i]);
        }
    }
}

/* Writes the PEM text, percent-encoded but for RFC 3986's unreserved characters, as nginx's $ssl_client_escaped_cert. */
static bool render_pem(struct text *out, struct bytes der) {
    char buffer[RENDER_SCRATCH_SIZE];
    struct text base64 = text_over(buffer, sizeof buffer);
    text_append_base64(&base64, der);
    text_append_string(out, "-----BEGIN%20CERTIFICATE-----%0A");
    for (size_t i = 0; i < base64.size; i += PEM_LINE_SIZE) {
        size_t left = base64.size - i;
        append_url_base64(out, bytes_of(buffer + i, left < PEM_LINE_SIZE ? left : PEM_LINE_SIZE));
        text_append_string(out, "%0A");
    }
    text_append_string(out, "-----END%20CERTIFICATE-----%0A");
    out->overflow = out->overflow || base64.overflow;
    return true;
}

/* Appends an sf-binary (RFC 9440 section 2.1). */
static void append_binary(struct text *out, struct bytes der) {
    text_append_char(out, ':');
    text_append_base64(out, der);
    text_append_char(out, ':');
}

static bool render_rfc9440_cert(struct text *out, struct bytes der) {
    append_binary(out, der);
    return true;
}

/* Writes the path's intermediates, from the leaf's issuer on; where there is no path, as presented (RFC 9440 section 2.3).
 */
static bool render_rfc9440_chain(struct text *out, const struct render_source *source) {
    const struct path_verdict *verdict = source->verdict;
    bool has_path = verdict != NULL && verdict->anchor != NULL;
    size_t count = has_path ? verdict->length : source->chain->count;
    for (size_t i = 1; i < count; i++) {
        if (i > 1) {
            text_append_string(out, ", ");
        }
        size_t index = has_path ? verdict->order[i] : i;
        append_binary(out, source->chain->members[index].certificate.der);
    }
    return count > 1;
}

/* Appends a value of X-Forwarded-Client-Cert, in double quotes when it has one of that header's separators, or a space at an
 * end. */
static void append_xfcc_value(struct text *out, struct bytes value) {
    bool quoted = value.size > 0 && (value.data[0] == ' ' || value.data[value.size - 1] == ' ');
    for (size_t i = 0; i < value.size; i++) {
        quoted = quoted || memchr(",;=\"\\", value.data[i], 5) != NULL;
    }
    if (!quoted) {
        text_append_header_value(out, value);
        return;
    }
    text_append_char(out, '"');
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] == '"' || value.data[i] == '\\') {
            text_append_char(out, '\\');
        }
        text_append_header_value(out, bytes_of(value.data + i, 1));
    }
    text_append_char(out, '"');
}

static void append_xfcc_names(struct text *out, struct bytes names, enum general_name wanted, const char *key) {
    uint8_t tag;
    struct bytes value;
    while (general_name_next(&names, &tag, &value)) {
        if (tag == wanted) {
            text_append_string(out, key);
            append_xfcc_value(out, value);
        }
    }
}

static bool render_xfcc(struct text *out, const struct certificate *certificate, const uint8_t *fingerprint) {
    text_append_string(out, "Hash=");
    text_append_hex(out, bytes_of(fingerprint, SIGNATURE_SHA256_SIZE));
    text_append_string(out, ";Cert=\"");
    render_pem(out, certificate->der);
    /* RFC 4514 has put a backslash before each quote and backslash in the name. */
    text_append_string(out, "\";Subject=\"");
    append_dn(out, certificate->subject);
    text_append_char(out, '"');
    append_xfcc_names(out, certificate->san, GENERAL_NAME_URI, ";URI=");
    append_xfcc_names(out, certificate->san, GENERAL_NAME_DNS, ";DNS=");
    return true;
}

static bool render_extension(struct text *out, const struct certificate *certificate, const struct field *field) {
    struct extension extension;
    return certificate_find_extension(certificate, bytes_of(field->oid, field->oid_size), &extension) &&
           render_base64(out, extension.value);
}

static bool render_leaf_field(struct text *out, const struct field *field, const struct render_source *source) {
    const struct certificate *leaf = &source->chain->members[0].certificate;
    switch (field->kind) {
    case FIELD_SKI:
        return render_hex(out, leaf->ski);
    case FIELD_AKI:
        return render_hex(out, leaf->aki);
    case FIELD_SERIAL:
        return render_serial(out, leaf->serial);
    case FIELD_SUBJECT_DN:
        return render_dn(out, leaf->subject);
    case FIELD_ISSUER_DN:
        return render_dn(out, leaf->issuer);
    case FIELD_SUBJECT_ATTRIBUTE:
        return render_attribute(out, leaf->subject, field);
    case FIELD_ISSUER_ATTRIBUTE:
        return render_attribute(out, leaf->issuer, field);
    case FIELD_SAN_DNS:
        return render_alternative_names(out, leaf, GENERAL_NAME_DNS);
    case FIELD_SAN_EMAIL:
        return render_alternative_names(out, leaf, GENERAL_NAME_EMAIL);
    case FIELD_SAN_URI:
        return render_alternative_names(out, leaf, GENERAL_NAME_URI);
    case FIELD_SAN_IP:
        return render_alternative_names(out, leaf, GENERAL_NAME_IP);
    case FIELD_NOT_BEFORE:
        return render_time(out, leaf->not_before);
    case FIELD_NOT_AFTER:
        return render_time(out, leaf->not_after);
    case FIELD_FINGERPRINT_SHA256:
        return render_hex(out, bytes_of(source->fingerprint, SIGNATURE_SHA256_SIZE));
    case FIELD_FINGERPRINT_SHA1:
        return render_sha1(out, leaf->der);
    case FIELD_SPKI_SHA256:
        return render_sha256(out, leaf->spki);
    case FIELD_PEM_URLENCODED:
        return render_pem(out, leaf->der);
    case FIELD_DER_BASE64:
        return render_base64(out, leaf->der);
    case FIELD_RFC9440_CERT:
        return render_rfc9440_cert(out, leaf->der);
    case FIELD_RFC9440_CHAIN:
        return render_rfc9440_chain(out, source);
    case FIELD_XFCC:
        return render_xfcc(out, leaf, source->fingerprint);
    case FIELD_EXTENSION:
        return render_extension(out, leaf, field);
    default:
        return false; /* of the verdict or of the connection */
    }
}

bool render_field(struct text *out, const struct field *field, const struct render_source *source) {
    switch (field->kind) {
    case FIELD_STATUS:
        text_append_string(out, status_name(reason_status(source->reason)));
        return true;
    case FIELD_REASON:
        text_append_string(out, reason_name(source->reason));
        return true;
    default:
        return source->chain != NULL && render_leaf_field(out, field, source);
    }
}
