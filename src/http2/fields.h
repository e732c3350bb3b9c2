/* From the text of HTTP/1.1, as http/forward and http/trailers write it, to the fields of HTTP/2 (RFC 9113 section 8.3). */
#ifndef HTTP2_FIELDS_H
#define HTTP2_FIELDS_H

#include "base/bytes.h"
#include "http2/memory.h"

#include <nghttp2/nghttp2.h>

enum { HTTP2_FIELDS_FEW = 48 };

/* Fields that point into the text. nghttp2 copies them, with their names in lower case, when they are given to it. */
struct http2_fields {
    nghttp2_nv *all; /* `few`, or memory of its own */
    size_t count;
    nghttp2_nv few[HTTP2_FIELDS_FEW];
};

/*
 * Read the head of a request or of a response, or a section of trailers. Fields of one connection of HTTP/1 are left
 * out (RFC 9113 section 8.2.2), and TE unless it says "trailers"; Host becomes :authority. The text may go on behind the
 * empty line that ends the fields. False: out of memory. http2_fields_release must follow.
 */
bool http2_fields_of_request(struct http2_fields *fields, struct http2_memory *memory, struct bytes head,
                             const char *scheme);
bool http2_fields_of_response(struct http2_fields *fields, struct http2_memory *memory, struct bytes head);
bool http2_fields_of_trailers(struct http2_fields *fields, struct http2_memory *memory, struct bytes section);
void http2_fields_release(struct http2_fields *fields, struct http2_memory *memory);

#endif
