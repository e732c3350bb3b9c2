/*
 * HTTP/2 on a client's connection, from the end of the handshake on (RFC 9113): the stages QUIET, FRAMES and STREAMS. Frames
 * are http2/session's, streams edge/http2_stream's. This module decides how many streams there may be, and ends a connection
 * without the loss of a stream.
 */
#ifndef EDGE_HTTP2_H
#define EDGE_HTTP2_H

#include "edge/connection.h"

extern const struct stage http2_quiet;   /* no stream is open */
extern const struct stage http2_frames;  /* no stream is open, but a part of a frame or of a head is there */
extern const struct stage http2_streams; /* requests are being answered */

/* The handshake is complete, and ALPN has chosen h2: waits for requests, and reads all that has come already. */
void http2_begin(struct connection *connection);
/* Once a turn: sends the frames that the turn's events have queued. */
void http2_turn(struct shard *shard);

#endif
