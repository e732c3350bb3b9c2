/*
 * PEM text (RFC 7468): blocks of base64 between "-----BEGIN label-----" and "-----END label-----". Text between blocks is
 * passed over, but none of it may look like a broken boundary: a file is read whole or it is refused. A byte order mark of
 * UTF-8 before a line outside of blocks is passed over too.
 */
#ifndef X509_PEM_H
#define X509_PEM_H

#include "base/bytes.h"

struct pem_reader {
    struct bytes rest;
    unsigned line;     /* of the next byte, from 1 */
    const char *error; /* after PEM_ERROR: a static text */
    unsigned error_line;
};

struct pem_block {
    struct bytes label; /* "CERTIFICATE" */
    struct bytes body;  /* the base64 lines, checked */
    unsigned line;      /* of its BEGIN line */
    size_t size;        /* bytes that pem_decode writes */
};

enum pem_result { PEM_BLOCK, PEM_END, PEM_ERROR };

struct pem_reader pem_reader_of(struct bytes text);
enum pem_result pem_next(struct pem_reader *reader, struct pem_block *block);
/* Writes block->size bytes to `out`. */
void pem_decode(const struct pem_block *block, uint8_t *out);

bool pem_label_is(const struct pem_block *block, const char *label);

/* Returns true when the file is one DER structure rather than text. */
bool pem_is_der(struct bytes file);

#endif
