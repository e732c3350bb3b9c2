/*
 * Changes heads of responses as old origins write them into heads that the strict parser takes. It changes only forms that
 * RFC 9112 says how to read, and that can be read in one way: folded lines (section 5.2), white space before a colon
 * (section 5.1), a minor version above 1 (RFC 9110 section 2.5), and lines that all end in LF alone (section 2.2). A head in
 * which some lines end in LF and others in CRLF stays refused: a line that was smuggled into a value looks like that.
 */
#ifndef HTTP_MEND_H
#define HTTP_MEND_H

#include "http/parser.h"

/* Returns whether the bytes that have come begin as a response of HTTP/1.x does, so that the rest is worth waiting for. */
bool http_mend_is_response(struct bytes start);

/*
 * Returns whether a head that the strict parser has refused for `fault` may be one that old origins write, by the bytes of
 * it that have come. Such a head is worth gathering whole, mending, and reading again.
 */
bool http_mend_may_help(enum http_fault fault, struct bytes start);

/*
 * Returns the size of the head at the front, with its empty line; lines may end in LF alone. 0: the head is not complete.
 * The caller knows that it does not end within the first `known` bytes.
 */
size_t http_mend_head_size(struct bytes input, size_t known);

/*
 * Mends the `size` bytes of a whole head in place. Returns the new size, which may be larger by one for each line, or 0:
 * there is nothing to mend, the head cannot be mended, or it does not fit in `capacity`; then the bytes are undefined.
 */
size_t http_mend_head(uint8_t *head, size_t size, size_t capacity);

#endif
