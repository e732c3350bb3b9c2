/* Bodies that come: pieces go to the owner, or wait for it. A part of http2/session. */
#ifndef HTTP2_BODY_H
#define HTTP2_BODY_H

#include "http2/state.h"

/* The callback of nghttp2 for a piece. */
int http2_body_on_data(nghttp2_session *nghttp2, uint8_t flags, int32_t id, const uint8_t *data, size_t size,
                       void *user_data);
/* The peer has said its last word. */
void http2_body_end(struct http2_stream *stream);
/* Gives the owner the bytes of the body that wait, and the end. */
void http2_body_resume(struct http2_stream *stream);
/* See http2_stream_widen. */
void http2_body_widen(struct http2_stream *stream, uint32_t window);

#endif
