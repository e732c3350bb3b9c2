/* Heads and trailers that come: their fields are gathered, and judged when they are complete. A part of http2/session. */
#ifndef HTTP2_HEADS_H
#define HTTP2_HEADS_H

#include "http2/state.h"

/* The callbacks of nghttp2 for the beginning of a header section, and for its fields. */
int http2_heads_on_begin(nghttp2_session *nghttp2, const nghttp2_frame *frame, void *user_data);
int http2_heads_on_field(nghttp2_session *nghttp2, const nghttp2_frame *frame, nghttp2_rcbuf *name_buffer,
                         nghttp2_rcbuf *value_buffer, uint8_t flags, void *user_data);
int http2_heads_on_invalid_field(nghttp2_session *nghttp2, const nghttp2_frame *frame, nghttp2_rcbuf *name,
                                 nghttp2_rcbuf *value, uint8_t flags, void *user_data);
/* A header section is complete. */
void http2_heads_end(struct http2_session *session, const nghttp2_frame *frame);
/* Sets the stream's urgency. All streams of one urgency take turns, so that none waits for another's end. */
void http2_heads_set_urgency(struct http2_stream *stream, nghttp2_extpri priority);

#endif
