/*
 * The chunked bodies of responses (RFC 9112 section 7.1), read as origins send them: with white space around a chunk's size
 * and in its extensions. That is safe because no framing of an origin is sent on: each body is framed anew. A part of
 * http/parser.
 */
#ifndef HTTP_CHUNKS_H
#define HTTP_CHUNKS_H

#include "http/parser_state.h"

/* Does what http_parser_body does, for a response whose framing is HTTP_CHUNKED. */
enum http_result http_chunks_take(struct http_parser *parser, struct bytes *input, struct bytes *piece);

/* Keeps a part of a trailer section as it comes, with its final empty line; the whole is at most HTTP_TRAILERS_MAX. */
void http_keep_trailers(struct http_parser *parser, struct bytes part);

#endif
