/*
 * X.501 Names as they lie in a certificate: matching for path building (RFC 5280 section 7.1), attribute lookup, and their
 * text (RFC 4514). A Name here is its whole DER element. All functions but name_is_valid need a Name that is valid.
 */
#ifndef X509_NAME_H
#define X509_NAME_H

#include "base/text.h"

enum {
    NAME_ATTRIBUTES_MAX = 128,    /* more than any real name has; bounds the work and the stack for each name */
    NAME_RDN_ATTRIBUTES_MAX = 16, /* to compare sets without order costs the square of it */
};

struct name_attribute {
    struct bytes oid;   /* content octets */
    uint8_t tag;        /* of the value */
    struct bytes value; /* content octets, in the encoding that the tag says */
    struct bytes whole; /* the value's DER element */
    unsigned rdn;       /* the number of its relative distinguished name, from 0 */
};

struct name_reader {
    struct bytes rdns;
    struct bytes set; /* the rest of the current RDN */
    unsigned rdn;
};

/*
 * Returns true when `name` is an RDNSequence in DER within the limits above, with no empty RDN, strings that are valid in
 * their encoding, and no NUL in any of them.
 */
bool name_is_valid(struct bytes name);
bool name_is_empty(struct bytes name);

struct name_reader name_reader_of(struct bytes name);
/* Reads the next attribute in encoded order. False at the end. */
bool name_next(struct name_reader *reader, struct name_attribute *attribute);
/* Reads the attribute at the front of an RDN's content and goes on behind it; `rdn` is not set. False: it is malformed. */
bool name_read_attribute(struct bytes *set, struct name_attribute *attribute);
/* Finds the first attribute of that type. */
bool name_find(struct bytes name, struct bytes oid, struct name_attribute *attribute);

/*
 * Tells whether two Names match: each RDN has the same attributes as often, where strings of any type are compared as
 * characters, ASCII letters of either case are the same, and spaces count once between words and not at all at the ends. The
 * order of `a` and `b` does not matter. The work grows with the bytes of both and not with their product. hash_init must
 * have been called before this function and the next two.
 */
bool name_equal(struct bytes a, struct bytes b);
/* Tells whether the first RDNs of `name` match all of `base`: the directoryName constraint. */
bool name_is_within(struct bytes name, struct bytes base);
/* Returns the same for Names that match; it differs in each process (base/hash.h). Others may collide: compare as well. */
uint64_t name_hash(struct bytes name);

/*
 * Appends the Name as RFC 4514 text: last RDN first, UTF-8, escapes as in section 2.4, control characters as \XX,
 * attribute types by the short names that OpenSSL gives them. Attributes of other types, and values that are no strings,
 * are written as '#' and hex.
 */
void name_append_text(struct text *out, struct bytes name);

/* A reader of a string of ASN.1 type `tag`, one code point at a time. */
struct name_characters {
    uint8_t tag;
    struct bytes rest;
};

enum name_character_result { NAME_CHARACTER, NAME_CHARACTERS_END, NAME_CHARACTERS_BAD };

/* Tells whether strings of that type can be read as characters. */
bool name_is_string(uint8_t tag);
enum name_character_result name_next_character(struct name_characters *characters, uint32_t *character);
/* Returns the bytes of strings that this thread has read to compare or hash them. Tests hold the bounds of the work by it.
 */
uint64_t name_bytes_folded(void);
/* Appends a string value as UTF-8, or '#' and hex when it is no string. */
void name_append_value(struct text *out, const struct name_attribute *attribute);

#endif
