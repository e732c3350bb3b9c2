/*
 * Reads the head of a response from deliveries of bytes. A head is parsed where it lies when one delivery holds all of it,
 * as nearly always; else it is gathered in a buffer of the owner's. A head that the strict parser refuses, and that may be
 * one that old origins write, is gathered whole, mended (http/mend.h), and parsed again.
 */
#ifndef HTTP_GATHER_H
#define HTTP_GATHER_H

#include "http/parser.h"

/* Zeroed before each head. */
struct http_gather {
    uint32_t size; /* bytes of the head in the buffer */
    bool mending;  /* the head is no strict HTTP: it is gathered until it is whole, or was mended */
};

/*
 * Takes a delivery from the front of `*input`, behind those that were taken before. HTTP_PARSE_HEAD: `*head` is the first
 * byte of the head, which the message's spans are of, in the delivery or in the buffer, and `*input` is what follows the
 * head. HTTP_PARSE_MORE: all was taken. HTTP_PARSE_ERROR: parser->fault and error say why. `parser` has been begun for a
 * response. `buffer`, which stays the same for a head, has `capacity` bytes: a delivery more than the parser's
 * head_size_max at least, and twice the latter, since mending makes heads longer.
 */
enum http_result http_gather_head(struct http_gather *gather, struct http_parser *parser, uint8_t *buffer, size_t capacity,
                                  struct bytes *input, const uint8_t **head);

#endif
