/* The side of a session that sends: frames leave, as far as the owner and the peer have room. A part of http2/session. */
#ifndef HTTP2_OUTPUT_H
#define HTTP2_OUTPUT_H

#include "http2/state.h"

/* Sets the callbacks of nghttp2 that are for sending. */
void http2_output_set_callbacks(nghttp2_session_callbacks *callbacks);
/* Has frames leave, unless nghttp2 runs already. */
void http2_output_flush(struct http2_session *session);
/* Call closed() for the streams that are gone, or for one, if it is; not while nghttp2 runs. */
void http2_output_bury_all(struct http2_session *session);
void http2_output_bury(struct http2_stream *stream);
/* Calls room() for the streams that waited and have room now, the most urgent first. */
void http2_output_offer(struct http2_session *session);

/* Makes the stream one of the session's. */
void http2_output_adopt(struct http2_session *session, struct http2_stream *stream, int32_t id);
/* Takes the stream from the session, with all that waits for it, and gives its bytes back to the connection's window. */
void http2_output_forget(struct http2_stream *stream);
/* Resets the stream, and forgets it. */
void http2_output_reset(struct http2_stream *stream, uint32_t error);
/* Ends the session with that code. */
void http2_output_terminate(struct http2_session *session, uint32_t error);
/* Likewise, because the client has sent too much of that kind. */
void http2_output_refuse(struct http2_session *session, enum http2_excess excess);

/* Counts something that the client may do too often, and refuses the session when it is too much. */
void http2_output_charge(struct http2_session *session, enum http2_excess kind, uint32_t points, uint32_t most);

/* These do what http2_session_open and the functions of streams that send do, without sending. False: out of memory. */
bool http2_output_request(struct http2_session *session, struct http2_stream *stream, struct bytes head, const char *scheme,
                          bool end);
bool http2_output_head(struct http2_stream *stream, struct bytes head, bool end);
bool http2_output_send(struct http2_stream *stream, struct bytes piece);
bool http2_output_end(struct http2_stream *stream, struct bytes trailers);
size_t http2_output_room(struct http2_stream *stream);

#endif
