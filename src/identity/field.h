/* Fields, of which a header carries one: the contract's list, by name. */
#ifndef IDENTITY_FIELD_H
#define IDENTITY_FIELD_H

#include "base/text.h"

/*
 * Each field that has a name of its own: FIELD(kind, name, source), in the order in which `sallyport verify` prints them.
 * The fields of a Name's attributes come behind the Name. Values of the certificate are rendered in identity/render.c.
 */
#define FIELDS(FIELD)                                                                                                       \
    FIELD(STATUS, "status", VERDICT)                                                                                        \
    FIELD(REASON, "reason", VERDICT)                                                                                        \
    FIELD(SKI, "ski", CERTIFICATE)                                                                                          \
    FIELD(AKI, "aki", CERTIFICATE)                                                                                          \
    FIELD(SERIAL, "serial", CERTIFICATE)                                                                                    \
    FIELD(SUBJECT_DN, "subject.dn", CERTIFICATE)                                                                            \
    FIELD(ISSUER_DN, "issuer.dn", CERTIFICATE)                                                                              \
    FIELD(SAN_DNS, "san.dns", CERTIFICATE)                                                                                  \
    FIELD(SAN_EMAIL, "san.email", CERTIFICATE)                                                                              \
    FIELD(SAN_URI, "san.uri", CERTIFICATE)                                                                                  \
    FIELD(SAN_IP, "san.ip", CERTIFICATE)                                                                                    \
    FIELD(NOT_BEFORE, "not_before", CERTIFICATE)                                                                            \
    FIELD(NOT_AFTER, "not_after", CERTIFICATE)                                                                              \
    FIELD(FINGERPRINT_SHA256, "fingerprint.sha256", CERTIFICATE)                                                            \
    FIELD(FINGERPRINT_SHA1, "fingerprint.sha1", CERTIFICATE)                                                                \
    FIELD(SPKI_SHA256, "spki.sha256", CERTIFICATE)                                                                          \
    FIELD(PEM_URLENCODED, "pem.urlencoded", CERTIFICATE)                                                                    \
    FIELD(DER_BASE64, "der.base64", CERTIFICATE)                                                                            \
    FIELD(RFC9440_CERT, "rfc9440.cert", CERTIFICATE)                                                                        \
    FIELD(RFC9440_CHAIN, "rfc9440.chain", CERTIFICATE)                                                                      \
    FIELD(XFCC, "xfcc", CERTIFICATE)                                                                                        \
    FIELD(TLS_VERSION, "tls.version", CONNECTION)                                                                           \
    FIELD(TLS_CIPHER, "tls.cipher", CONNECTION)                                                                             \
    FIELD(KEY_EXCHANGE_GROUP, "key_exchange_group", CONNECTION)                                                             \
    FIELD(SNI, "sni", CONNECTION)

#define FIELD_ENUMERATOR(kind, name, source) FIELD_##kind,
enum field_kind {
    FIELDS(FIELD_ENUMERATOR) FIELD_NAMED,  /* how many these are */
    FIELD_SUBJECT_ATTRIBUTE = FIELD_NAMED, /* subject.X: `oid` names X */
    FIELD_ISSUER_ATTRIBUTE,
    FIELD_EXTENSION, /* ext:OID: `oid` names it */
};
#undef FIELD_ENUMERATOR

/* The source of the value of a field. */
enum field_source { FIELD_OF_VERDICT, FIELD_OF_CERTIFICATE, FIELD_OF_CONNECTION };

struct field {
    enum field_kind kind;
    uint8_t oid[32]; /* DER content octets of the OBJECT IDENTIFIER */
    uint8_t oid_size;
};

/* Returns true when `name` is one of the contract's fields ("subject.cn", "ext:1.2.3.4", ...; letters in lower case). */
bool field_parse(const char *name, struct field *field);
enum field_source field_source(const struct field *field);

enum { FIELD_NAME_SIZE = 32 };
/* Writes the name of field `index`, from 0, in the order of FIELDS; "ext:" is not among them. False at the end. */
bool field_name_at(size_t index, char name[static FIELD_NAME_SIZE]);

#endif
