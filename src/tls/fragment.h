/*
 * Handshake records that leave in the clear, split to a client's limit. wolfSSL splits the records that it encrypts, but of
 * TLS 1.2's first flight only the certificates, where RFC 6066 section 4 wants all handshake messages split.
 */
#ifndef TLS_FRAGMENT_H
#define TLS_FRAGMENT_H

#include "base/bytes.h"

enum { FRAGMENT_HEADER_SIZE = 5 };

/* Zeroed at first, but for `limit`. */
struct fragment {
    size_t limit;       /* bytes that one record may carry, at least 1 */
    bool sealed;        /* a ChangeCipherSpec has left: the records behind it are encrypted and stay as they are */
    size_t record_left; /* of the record that is being split */
    size_t piece_max;   /* bytes of it in one record */
    size_t piece;       /* the piece whose header was the last answer */
    uint8_t header[FRAGMENT_HEADER_SIZE];
};

/*
 * Takes the next bytes to send from the front of `*rest`, which began as whole records of TLS 1.2. Returns at least one
 * byte: a view of `*rest` or of `fragment`, valid until the next call.
 */
struct bytes fragment_next(struct fragment *fragment, struct bytes *rest);

#endif
