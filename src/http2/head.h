/*
 * A head that is under construction: its fields are gathered in memory that grows with them, since nghttp2 gives each field
 * for a moment only. A connection has one such head at a time (RFC 9113 section 4.3).
 */
#ifndef HTTP2_HEAD_H
#define HTTP2_HEAD_H

#include "http/message.h"
#include "http2/memory.h"

/* A head that is larger than allowed is read up to this many times the limit, so that it gets an answer. */
enum { HTTP2_HEAD_PATIENCE = 4 };

struct http2_buffer {
    uint8_t *data;
    uint32_t size;
    uint32_t capacity;
};

struct http2_head {
    struct http2_buffer arena;  /* names and values, which the spans of the message point to */
    struct http2_buffer crumbs; /* values of Cookie, with "; " between them (RFC 9113 section 8.2.3) */
    struct http_message *message;
    uint64_t counted; /* names, values and 4 for each field, as ": " and CRLF would take in HTTP/1 */
    uint32_t size_max;
    bool too_large;
    bool path_too_long; /* :path alone is longer than any target may be */
    bool too_many;
    struct http_span authority; /* pseudo-headers that the message has no place for */
    struct http_span scheme;
};

enum http2_field {
    HTTP2_FIELD_TAKEN,
    HTTP2_FIELD_TOO_MUCH, /* the head is beyond all patience: its stream is to be reset */
    HTTP2_FIELD_NO_MEMORY,
};

enum http2_verdict {
    HTTP2_HEAD_GOOD,
    HTTP2_HEAD_REFUSED,   /* it is HTTP/2, but not to be relayed */
    HTTP2_HEAD_MALFORMED, /* it is not (RFC 9113 section 8.1.1) */
    HTTP2_HEAD_NO_MEMORY,
};

/* Begins a head; its memory of before is used again. `message` has headers and headers_max set, and is emptied. */
void http2_head_begin(struct http2_head *head, struct http_message *message, uint32_t size_max);
/* Frees the memory. */
void http2_head_release(struct http2_head *head, struct http2_memory *memory);

/* Counts a field. Returns whether it is to be kept: false when the head is too large. */
bool http2_head_count(struct http2_head *head, struct bytes name, struct bytes value);
/* Returns whether the head is beyond all patience. */
bool http2_head_is_hopeless(const struct http2_head *head);
/* Keeps bytes, and sets `*span` to their place. False: out of memory. */
bool http2_head_keep(struct http2_head *head, struct http2_memory *memory, struct bytes bytes, struct http_span *span);
/* Keeps a field as a header of the message. False: out of memory. */
bool http2_head_add(struct http2_head *head, struct http2_memory *memory, struct bytes name, struct bytes value);
/* Keeps a crumb of Cookie, which is no header yet. False: out of memory. */
bool http2_head_add_crumb(struct http2_head *head, struct http2_memory *memory, struct bytes value);
/* Makes one Cookie header of all crumbs. False: out of memory. */
bool http2_head_join_crumbs(struct http2_head *head, struct http2_memory *memory);
/* Keeps a field of a trailer section, as a line. False: out of memory. */
bool http2_head_add_trailer(struct http2_head *head, struct http2_memory *memory, struct bytes name, struct bytes value);

/* Sets framing and content_length of the message by its fields. `end`: no body follows. False: Content-Length is no number.
 */
bool http2_head_frame(struct http2_head *head, bool end);

/* Returns what has been kept. */
static inline struct bytes http2_head_bytes(const struct http2_head *head) {
    return bytes_of(head->arena.data, head->arena.size);
}

#endif
