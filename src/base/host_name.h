/*
 * The one grammar of host names: labels of letters, digits, '-' and '_' with a dot between two, and maybe one dot at the
 * end. RFC 1123 section 2.1 has no '_', but names in use do, and browsers take them.
 *
 * Three modules read host names, and what they add to this grammar differs for a reason that each of them gives:
 * config/address.c (names that are served), guard/offer.c (server_name in TLS) and http/authority.c (Host).
 */
#ifndef BASE_HOST_NAME_H
#define BASE_HOST_NAME_H

#include "base/ascii.h"
#include "base/bytes.h"

enum { HOST_NAME_SIZE = 256 /* with a NUL: names of up to 255 bytes, which is the most that a DNS message holds */ };

enum host_name_fault {
    HOST_NAME_GOOD,
    HOST_NAME_EMPTY,       /* nothing, or a dot alone */
    HOST_NAME_TOO_LONG,    /* more than 255 bytes, without the dot at the end */
    HOST_NAME_CHARACTER,   /* a character that no name has */
    HOST_NAME_EMPTY_LABEL, /* otherwise good, but two dots in a row, or one at the beginning */
};

/* Returns whether a label may have the character. */
static inline bool host_name_has(uint8_t c) {
    return ascii_is_alphanumeric(c) || c == '-' || c == '_';
}

/*
 * Writes the name as names are compared: in lower case, without one dot at the end, NUL-terminated. `folded` is filled for
 * HOST_NAME_GOOD and HOST_NAME_EMPTY_LABEL, and is "" otherwise.
 */
enum host_name_fault host_name_fold(struct bytes name, char folded[static HOST_NAME_SIZE]);

#endif
