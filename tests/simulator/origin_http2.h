/*
 * A simulated origin that speaks HTTP/2: a session of nghttp2's, which finds each frame of the shard's that breaks a rule.
 * It answers each stream as HTTP/1 would, takes few streams or many, and where it is faulty resets streams, turns them away,
 * stalls, writes nonsense and says GOAWAY at any moment.
 */
#ifndef TESTS_SIMULATOR_ORIGIN_HTTP2_H
#define TESTS_SIMULATOR_ORIGIN_HTTP2_H

#include "origin.h"

/* The connection is ready. */
void origin_http2_begin(struct origin *origin);
/* Does some things, as the seed has it. */
void origin_http2_step(struct origin *origin);
/* Frees all of it, if there is any. */
void origin_http2_end(struct origin *origin);

#endif
