/*
 * One connection of HTTP/2 (RFC 9113, with RFC 7541, 8441 and 9218) by nghttp2: bytes in, events out, frames out. A session
 * is either a server's, whose streams are requests of a client, or a client's, whose streams are requests to an origin. It
 * opens no socket and has no policy; its owner has both.
 *
 * Bodies flow with exact backpressure in both directions. The part of a body that comes and that its owner does not take yet
 * waits here, and the peer's window opens again only when it is taken. The part that the peer's window, or the owner's
 * output, has no room for waits here too: http2_stream_room says how much more is welcome.
 *
 * All memory is from malloc, and counted: http2_session_memory. One thread only.
 */
#ifndef HTTP2_SESSION_H
#define HTTP2_SESSION_H

#include "http2/allowance.h"
#include "http2/stream.h"

/* NULL when out of memory. `handler` and `owner` must outlive it. The first frames leave with the next flush. */
struct http2_session *http2_session_server(const struct http2_settings *settings, const struct http2_handler *handler,
                                           void *owner);
struct http2_session *http2_session_client(const struct http2_settings *settings, const struct http2_handler *handler,
                                           void *owner);
/* Frees it, and what it has of its streams. closed() is not called. NULL is allowed. */
void http2_session_free(struct http2_session *session);

/* Takes bytes that have come, and then flushes. `now_s` is of a clock that only goes forward. */
enum http2_outcome http2_session_receive(struct http2_session *session, struct bytes input, uint64_t now_s);
/* Has frames leave as long as there are any and output_room is not 0. */
enum http2_outcome http2_session_flush(struct http2_session *session);
/* Returns why the session has ended itself (HTTP2_EXCESS_NONE: it has not, or by a plain fault of protocol). */
enum http2_excess http2_session_excess(const struct http2_session *session);
/* Returns the error code of the GOAWAY by which the session has ended itself; HTTP2_NO_ERROR: it has not. */
uint32_t http2_session_fault(const struct http2_session *session);
/* Returns the streams that are not gone. */
uint32_t http2_session_streams(const struct http2_session *session);
/* Returns the bytes of memory that the session and its streams have from malloc. */
size_t http2_session_memory(const struct http2_session *session);
/* Returns whether nothing waits to leave and nothing is incomplete: no part of a frame, no head that goes on in the next. */
bool http2_session_is_idle(const struct http2_session *session);
/* Returns whether a part of the preface, of a frame or of a head has come, and the rest has not. */
bool http2_session_is_partial(const struct http2_session *session);
/*
 * Server: ends the session when its streams are through (RFC 9113 section 6.8): a first GOAWAY takes all streams, and one
 * that names the last follows when the client has answered a PING, which shows that it has read the first.
 */
void http2_session_shut_down(struct http2_session *session);
/* Server: has that second GOAWAY leave with the next flush, for a client that has not answered. Else it does nothing. */
void http2_session_shut_down_now(struct http2_session *session);
/* Queues a GOAWAY with that code. No stream is taken any more, and the session is HTTP2_OVER when the frame is out. */
void http2_session_terminate(struct http2_session *session, enum http2_error error);

/*
 * Client: asks. `head` is a request's head as http_write_request writes it, `scheme` "http" or "https". 0,
 * -EAGAIN when the origin takes no more streams now, -ESHUTDOWN when it takes none on this connection, or -ENOMEM.
 */
int http2_session_open(struct http2_session *session, struct http2_stream *stream, struct bytes head, const char *scheme,
                       bool end);
/* Client: queues a PING. Whatever the origin says later shows that it is alive. False: out of memory. */
bool http2_session_ping(struct http2_session *session);
/*
 * Client: returns whether the origin's GOAWAY has left out this stream and not all others (RFC 9113 section 6.8). The stream
 * may be gone.
 */
bool http2_session_leaves_out(const struct http2_session *session, const struct http2_stream *stream);
/* Client: returns how many more requests the origin takes now. 0 after its GOAWAY. */
uint32_t http2_session_vacancies(const struct http2_session *session);

/*
 * Sends a head: server, of an answer, written as http_write_response or http_write_reply writes it, with the body of a reply
 * behind it left out. Its status is not 101, which HTTP/2 does not have. Fields that belong to one HTTP/1 connection
 * (Connection, Transfer-Encoding ...) are left out. An informational head may come before the final one. `end`: nothing
 * follows. False: out of memory.
 */
bool http2_stream_head(struct http2_stream *stream, struct bytes head, bool end);
/*
 * Sends a piece of the body, copied as far as it cannot leave at once. The last piece of a body whose Content-Length was
 * sent may wait for http2_stream_end, or for http2_session_flush, so that one frame is enough. False: out of memory.
 */
bool http2_stream_send(struct http2_stream *stream, struct bytes piece);
/*
 * Ends the message that is sent; `trailers`: lines that each end in CRLF, or empty. A request that is still on its way goes
 * on coming; the owner of a server's stream may ask the client to stop, by http2_stream_reset with NO_ERROR once
 * stream->out_left_whole is set (RFC 9113 section 8.1).
 */
bool http2_stream_end(struct http2_stream *stream, struct bytes trailers);
/* Returns how many bytes of body are welcome now: 0 when the peer's windows are shut, or enough waits already. */
size_t http2_stream_room(struct http2_stream *stream);
/* The owner can take more of the body: calls body() and end() for the bytes that wait. */
void http2_stream_resume(struct http2_stream *stream);
/* Has so many bytes of the body come at least before the owner takes any, up to 2^31-1. */
void http2_stream_widen(struct http2_stream *stream, uint32_t window);
/* Resets the stream. It is its owner's again at once: no handler is called for it any more. */
void http2_stream_reset(struct http2_stream *stream, enum http2_error error);

#endif
