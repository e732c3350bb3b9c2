/* The fields of a response (RFC 9113 section 8.3.2), and the rules that they must keep before they are passed on. */
#ifndef HTTP2_RESPONSE_H
#define HTTP2_RESPONSE_H

#include "http/parser_state.h"
#include "http2/head.h"

/* Takes one field, which nghttp2 has checked as it does those of requests. */
enum http2_field http2_response_field(struct http2_head *head, struct http2_memory *memory, struct bytes name,
                                      struct bytes value);

/*
 * Judges a head that is complete, and fills in what the message does not have yet. `to_head`: the request's method is HEAD;
 * `end`: no body follows. HTTP2_HEAD_REFUSED: `*fault` and `*error`, a static text, say why.
 */
enum http2_verdict http2_response_judge(struct http2_head *head, bool to_head, bool end, enum http_fault *fault,
                                        const char **error);

#endif
