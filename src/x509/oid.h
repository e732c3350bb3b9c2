/* The object identifiers that are known here, as DER content octets, and the dotted form of any. */
#ifndef X509_OID_H
#define X509_OID_H

#include "base/text.h"

/* Gives an OID as a view of static bytes: OID_VIEW("\x55\x1d\x0f"). */
#define OID_VIEW(literal) ((struct bytes){(const uint8_t *)(literal), sizeof(literal) - 1})

/* Certificate extensions (RFC 5280 section 4.2.1). */
#define OID_SUBJECT_KEY_IDENTIFIER   OID_VIEW("\x55\x1d\x0e")
#define OID_KEY_USAGE                OID_VIEW("\x55\x1d\x0f")
#define OID_SUBJECT_ALT_NAME         OID_VIEW("\x55\x1d\x11")
#define OID_BASIC_CONSTRAINTS        OID_VIEW("\x55\x1d\x13")
#define OID_NAME_CONSTRAINTS         OID_VIEW("\x55\x1d\x1e")
#define OID_CRL_DISTRIBUTION_POINTS  OID_VIEW("\x55\x1d\x1f")
#define OID_CERTIFICATE_POLICIES     OID_VIEW("\x55\x1d\x20")
#define OID_AUTHORITY_KEY_IDENTIFIER OID_VIEW("\x55\x1d\x23")
#define OID_EXTENDED_KEY_USAGE       OID_VIEW("\x55\x1d\x25")
#define OID_INHIBIT_ANY_POLICY       OID_VIEW("\x55\x1d\x36")

/* CRL extensions and those of their entries (RFC 5280 sections 5.2 and 5.3). */
#define OID_CRL_NUMBER                 OID_VIEW("\x55\x1d\x14")
#define OID_CRL_REASON                 OID_VIEW("\x55\x1d\x15")
#define OID_DELTA_CRL_INDICATOR        OID_VIEW("\x55\x1d\x1b")
#define OID_ISSUING_DISTRIBUTION_POINT OID_VIEW("\x55\x1d\x1c")
#define OID_CERTIFICATE_ISSUER         OID_VIEW("\x55\x1d\x1d")

#define OID_EKU_ANY         OID_VIEW("\x55\x1d\x25\x00")
#define OID_EKU_SERVER_AUTH OID_VIEW("\x2b\x06\x01\x05\x05\x07\x03\x01")
#define OID_EKU_CLIENT_AUTH OID_VIEW("\x2b\x06\x01\x05\x05\x07\x03\x02")

#define OID_ATTRIBUTE_COMMON_NAME OID_VIEW("\x55\x04\x03")
#define OID_ATTRIBUTE_EMAIL       OID_VIEW("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01")

/* Public keys (RFC 3279, 4055, 5480, 8410). */
#define OID_RSA           OID_VIEW("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01")
#define OID_RSA_PSS       OID_VIEW("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a")
#define OID_MGF1          OID_VIEW("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08")
#define OID_EC_PUBLIC_KEY OID_VIEW("\x2a\x86\x48\xce\x3d\x02\x01")
#define OID_ED25519       OID_VIEW("\x2b\x65\x70")
#define OID_ML_DSA_44     OID_VIEW("\x60\x86\x48\x01\x65\x03\x04\x03\x11")
#define OID_ML_DSA_65     OID_VIEW("\x60\x86\x48\x01\x65\x03\x04\x03\x12")
#define OID_ML_DSA_87     OID_VIEW("\x60\x86\x48\x01\x65\x03\x04\x03\x13")
#define OID_SECP256R1     OID_VIEW("\x2a\x86\x48\xce\x3d\x03\x01\x07")
#define OID_SECP384R1     OID_VIEW("\x2b\x81\x04\x00\x22")
#define OID_SECP521R1     OID_VIEW("\x2b\x81\x04\x00\x23")

#define OID_SHA256 OID_VIEW("\x60\x86\x48\x01\x65\x03\x04\x02\x01")
#define OID_SHA384 OID_VIEW("\x60\x86\x48\x01\x65\x03\x04\x02\x02")
#define OID_SHA512 OID_VIEW("\x60\x86\x48\x01\x65\x03\x04\x02\x03")

/* Appends "1.2.840.113549"; `oid` must be valid (der_oid_is_valid). */
void oid_append(struct text *out, struct bytes oid);
/* Encodes a dotted OID. True, and *size bytes in `out`, when `dotted` is one and `capacity` is enough. */
bool oid_parse(const char *dotted, uint8_t *out, size_t capacity, size_t *size);

#endif
