/* Bytes that wait, first in, first out, in blocks from malloc, which are counted. */
#ifndef HTTP2_QUEUE_H
#define HTTP2_QUEUE_H

#include "base/bytes.h"

struct http2_block;

/* Zeroed before its first use. */
struct http2_queue {
    struct http2_block *first;
    struct http2_block *last;
    uint32_t size; /* bytes that wait */
};

#endif
