/*
 * Heads of responses as old origins write them, made into what the strict parser takes. Mended is only what RFC 9112 says
 * how to read, and what can be read in one way: folded lines (section 5.2), white space before a colon (section 5.1), a
 * minor version above 1 (RFC 9110 section 2.5), and lines that all end in LF alone (section 2.2). A head whose lines end in
 * LF here and in CRLF there stays refused: that is how a line looks that somebody has smuggled into a value.
 */
#ifndef HTTP_MEND_H
#define HTTP_MEND_H

#include "base/bytes.h"

/* Whether it begins as a response of HTTP/1.x does, as far as it has come, so that the rest is worth waiting for. */
bool http_mend_is_response(struct bytes start);

/*
 * The size of the head at the front, up to and with its empty line, whose lines may end in LF alone. 0: not complete. There
 * is known to be no such end within the first `known` bytes.
 */
size_t http_mend_head_size(struct bytes input, size_t known);

/*
 * Mends the `size` bytes of a whole head in place. The new size, which may be larger by one for each line, or 0: there is
 * nothing to mend, it cannot be mended, or it does not fit in `capacity`; then the bytes are worth nothing.
 */
size_t http_mend_head(uint8_t *head, size_t size, size_t capacity);

#endif
