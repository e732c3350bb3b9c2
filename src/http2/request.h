/* The fields of a request (RFC 9113 section 8.3.1), and the rules that they must keep before anything is done for them. */
#ifndef HTTP2_REQUEST_H
#define HTTP2_REQUEST_H

#include "http/rules.h"
#include "http2/head.h"

/*
 * Takes one field. nghttp2 has checked the grammar of its name and value, the order and number of pseudo-headers, and that
 * it is none that belongs to a connection of HTTP/1.
 */
enum http2_field http2_request_field(struct http2_head *head, struct http2_memory *memory, struct bytes name,
                                     struct bytes value);

/*
 * Judges a head that is complete, and fills in what the message does not have yet. `end`: no body follows. The rules are
 * those of http/request; a Host that names another authority than :authority makes a head malformed.
 */
enum http2_verdict http2_request_judge(struct http2_head *head, struct http2_memory *memory, bool end,
                                       struct http_refusal *refusal);

#endif
