/*
 * A strict reader of DER (X.690): definite lengths in their shortest form, single-byte tags, nothing past the end. It works
 * on views, copies nothing and allocates nothing. Each function that reads advances `*in` past the bytes that it has read
 * and returns true. On false `*in` is undefined, and the whole structure is malformed.
 */
#ifndef X509_DER_H
#define X509_DER_H

#include "base/bytes.h"

enum {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_NULL = 0x05,
    DER_OID = 0x06,
    DER_UTF8_STRING = 0x0c,
    DER_NUMERIC_STRING = 0x12,
    DER_PRINTABLE_STRING = 0x13,
    DER_TELETEX_STRING = 0x14,
    DER_IA5_STRING = 0x16,
    DER_UTC_TIME = 0x17,
    DER_GENERALIZED_TIME = 0x18,
    DER_VISIBLE_STRING = 0x1a,
    DER_UNIVERSAL_STRING = 0x1c,
    DER_BMP_STRING = 0x1e,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
    DER_CONTEXT = 0x80,             /* | number: context-specific, primitive */
    DER_CONTEXT_CONSTRUCTED = 0xa0, /* | number: context-specific, constructed */
};

/* One element as it lies in the input. */
struct der {
    uint8_t tag;
    struct bytes content;
    struct bytes whole; /* tag and length included */
};

/* Reads the next element, whatever its tag is. */
bool der_next(struct bytes *in, struct der *element);
/* Reads the content of the next element, which must have that tag. */
bool der_read(struct bytes *in, uint8_t tag, struct bytes *content);
/* Reads as der_read does if the next element has that tag. Else *present is false, *content is empty and `*in` stays. */
bool der_read_optional(struct bytes *in, uint8_t tag, struct bytes *content, bool *present);
/* Returns true when `whole` is exactly one element, of that tag. */
bool der_only(struct bytes whole, uint8_t tag, struct bytes *content);

/* Reads a BOOLEAN, whose content is 00 or ff. */
bool der_read_boolean(struct bytes *in, bool *value);
/* Reads the content of an INTEGER: two's complement in its shortest form, at least one byte. */
bool der_read_integer(struct bytes *in, struct bytes *content);
/* Reads an INTEGER of 0 to 2^31 - 1. */
bool der_read_small(struct bytes *in, uint32_t *value);
/* Reads the magnitude of an INTEGER that is not negative, without its sign byte (zero is one byte 00). */
bool der_read_unsigned(struct bytes *in, struct bytes *magnitude);
bool der_read_oid(struct bytes *in, struct bytes *oid);
/* Reads a BIT STRING, whose unused bits must be zero. */
bool der_read_bits(struct bytes *in, struct bytes *bits, unsigned *unused);
/* Reads UTCTime or GeneralizedTime as RFC 5280 section 4.1.2.5 has them (seconds, Z, no fraction): seconds since the epoch.
 */
bool der_read_time(struct bytes *in, int64_t *seconds);

/* Returns true when `oid` is the content of a well-formed OBJECT IDENTIFIER. */
bool der_oid_is_valid(struct bytes oid);

#endif
