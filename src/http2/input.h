/* The side of a session that receives: from the events of nghttp2 to those of the owner. A part of http2/session. */
#ifndef HTTP2_INPUT_H
#define HTTP2_INPUT_H

#include "http2/state.h"

/* Sets the callbacks of nghttp2 that are for receiving. */
void http2_input_set_callbacks(nghttp2_session_callbacks *callbacks);
/* Takes bytes that have come. */
void http2_input_take(struct http2_session *session, struct bytes input);

/* The content of the PING by which a server learns that its client has read the first GOAWAY. */
extern const uint8_t http2_shut_down_ping[8];

#endif
