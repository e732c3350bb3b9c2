/* GeneralNames (RFC 5280 section 4.2.1.6): the names of a subjectAltName, of a distribution point, of name constraints. */
#ifndef X509_GENERAL_NAME_H
#define X509_GENERAL_NAME_H

#include "base/text.h"

/* Their tags. */
enum general_name {
    GENERAL_NAME_OTHER = 0xa0,
    GENERAL_NAME_EMAIL = 0x81,
    GENERAL_NAME_DNS = 0x82,
    GENERAL_NAME_X400 = 0xa3,
    GENERAL_NAME_DIRECTORY = 0xa4, /* content: one whole Name */
    GENERAL_NAME_EDI = 0xa5,
    GENERAL_NAME_URI = 0x86,
    GENERAL_NAME_IP = 0x87,
    GENERAL_NAME_ID = 0x88,
};

/* Octets of an IPv4 address; an IPv6 address has four times as many. In a constraint an address stands with its mask. */
enum { GENERAL_NAME_IP_SIZE = 4, GENERAL_NAME_IP_AND_MASK_SIZE = 8 };

/*
 * Reads one GeneralName. False: it is malformed, of a tag that does not exist, or its content is. `ip_size` is one of the
 * two above.
 */
bool general_name_read(struct bytes *in, size_t ip_size, uint8_t *tag, struct bytes *value);
/* Reads one GeneralSubtree, whose base is such a name. */
bool general_name_read_subtree(struct bytes *in, uint8_t *tag, struct bytes *base);

/* Takes the next of `*names`, all of which have been read before. False at the end. */
bool general_name_next(struct bytes *names, uint8_t *tag, struct bytes *value);
/* Takes the next of `*subtrees`, likewise. */
bool general_name_next_subtree(struct bytes *subtrees, uint8_t *tag, struct bytes *base);

/* Appends an IPv4 or IPv6 address as text, of 4 or 16 octets. */
void general_name_append_ip(struct text *out, struct bytes address);

#endif
