#include "identity/field.h"

#include "base/check.h"
#include "x509/oid.h"

#include <stdio.h>

static const struct {
    const char *name;
    enum field_kind kind;
} plain_fields[] = {
    {"status", FIELD_STATUS},
    {"reason", FIELD_REASON},
    {"ski", FIELD_SKI},
    {"aki", FIELD_AKI},
    {"serial", FIELD_SERIAL},
    {"subject.dn", FIELD_SUBJECT_DN},
    {"issuer.dn", FIELD_ISSUER_DN},
    {"san.dns", FIELD_SAN_DNS},
    {"san.email", FIELD_SAN_EMAIL},
    {"san.uri", FIELD_SAN_URI},
    {"san.ip", FIELD_SAN_IP},
    {"not_before", FIELD_NOT_BEFORE},
    {"not_after", FIELD_NOT_AFTER},
    {"fingerprint.sha256", FIELD_FINGERPRINT_SHA256},
    {"fingerprint.sha1", FIELD_FINGERPRINT_SHA1},
    {"spki.sha256", FIELD_SPKI_SHA256},
    {"pem.urlencoded", FIELD_PEM_URLENCODED},
    {"der.base64", FIELD_DER_BASE64},
    {"rfc9440.cert", FIELD_RFC9440_CERT},
    {"rfc9440.chain", FIELD_RFC9440_CHAIN},
    {"xfcc", FIELD_XFCC},
    {"tls.version", FIELD_TLS_VERSION},
    {"tls.cipher", FIELD_TLS_CIPHER},
    {"sni", FIELD_SNI},
};

static const struct {
    const char *name;
    struct bytes oid;
} attributes[] = {
    {"cn", OID_VIEW("\x55\x04\x03")},
    {"o", OID_VIEW("\x55\x04\x0a")},
    {"ou", OID_VIEW("\x55\x04\x0b")},
    {"l", OID_VIEW("\x55\x04\x07")},
    {"st", OID_VIEW("\x55\x04\x08")},
    {"c", OID_VIEW("\x55\x04\x06")},
    {"emailaddress", OID_VIEW("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01")},
    {"serialnumber", OID_VIEW("\x55\x04\x05")},
    {"uid", OID_VIEW("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01")},
    {"dc", OID_VIEW("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19")},
};

/* The rest of `name` behind `prefix`, or NULL. */
static const char *after(const char *name, const char *prefix) {
    size_t size = strlen(prefix);
    return strncmp(name, prefix, size) == 0 ? name + size : NULL;
}

static bool parse_attribute(const char *name, enum field_kind kind, struct field *field) {
    for (size_t i = 0; i < ARRAY_LENGTH(attributes); i++) {
        if (strcmp(name, attributes[i].name) == 0) {
            field->kind = kind;
            field->oid_size = (uint8_t)attributes[i].oid.size;
            memcpy(field->oid, attributes[i].oid.data, attributes[i].oid.size);
            return true;
        }
    }
    return false;
}

bool field_parse(const char *name, struct field *field) {
    *field = (struct field){.kind = FIELD_STATUS};
    for (size_t i = 0; i < ARRAY_LENGTH(plain_fields); i++) {
        if (strcmp(name, plain_fields[i].name) == 0) {
            field->kind = plain_fields[i].kind;
            return true;
        }
    }
    const char *rest;
    if ((rest = after(name, "subject.")) != NULL) {
        return parse_attribute(rest, FIELD_SUBJECT_ATTRIBUTE, field);
    }
    if ((rest = after(name, "issuer.")) != NULL) {
        return parse_attribute(rest, FIELD_ISSUER_ATTRIBUTE, field);
    }
    if ((rest = after(name, "ext:")) != NULL) {
        size_t size;
        field->kind = FIELD_EXTENSION;
        bool parsed = oid_parse(rest, field->oid, sizeof(field->oid), &size);
        field->oid_size = (uint8_t)size;
        return parsed;
    }
    return false;
}

bool field_name_at(size_t index, char name[static FIELD_NAME_SIZE]) {
    static const char *const holders[] = {"subject", "issuer"};
    if (index < ARRAY_LENGTH(plain_fields)) {
        snprintf(name, FIELD_NAME_SIZE, "%s", plain_fields[index].name);
        return true;
    }
    index -= ARRAY_LENGTH(plain_fields);
    if (index >= ARRAY_LENGTH(holders) * ARRAY_LENGTH(attributes)) {
        return false;
    }
    snprintf(name, FIELD_NAME_SIZE, "%s.%s", holders[index / ARRAY_LENGTH(attributes)],
             attributes[index % ARRAY_LENGTH(attributes)].name);
    return true;
}
