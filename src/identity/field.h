/* What a header can carry: the contract's list of fields, by name. */
#ifndef IDENTITY_FIELD_H
#define IDENTITY_FIELD_H

#include "base/text.h"

enum field_kind {
    FIELD_STATUS,
    FIELD_REASON,
    FIELD_SKI,
    FIELD_AKI,
    FIELD_SERIAL,
    FIELD_SUBJECT_DN,
    FIELD_ISSUER_DN,
    FIELD_SUBJECT_ATTRIBUTE, /* subject.X: `oid` names X */
    FIELD_ISSUER_ATTRIBUTE,
    FIELD_SAN_DNS,
    FIELD_SAN_EMAIL,
    FIELD_SAN_URI,
    FIELD_SAN_IP,
    FIELD_NOT_BEFORE,
    FIELD_NOT_AFTER,
    FIELD_FINGERPRINT_SHA256,
    FIELD_FINGERPRINT_SHA1,
    FIELD_SPKI_SHA256,
    FIELD_PEM_URLENCODED,
    FIELD_DER_BASE64,
    FIELD_RFC9440_CERT,
    FIELD_RFC9440_CHAIN,
    FIELD_XFCC,
    FIELD_EXTENSION, /* ext:OID: `oid` names it */
    FIELD_TLS_VERSION,
    FIELD_TLS_CIPHER,
    FIELD_SNI,
};

struct field {
    enum field_kind kind;
    uint8_t oid[32]; /* DER content octets of the OBJECT IDENTIFIER */
    uint8_t oid_size;
};

/* True when `name` is one of the contract's fields ("subject.cn", "ext:1.2.3.4", ...; letters in lower case). */
bool field_parse(const char *name, struct field *field);

enum { FIELD_NAME_SIZE = 32 };
/* Writes the name of field `index`, from 0, so that a message can suggest one; "ext:" is not among them. False at the end.
 */
bool field_name_at(size_t index, char name[static FIELD_NAME_SIZE]);

#endif
