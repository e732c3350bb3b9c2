/*
 * The chunked bodies of responses (RFC 9112 section 7.1), read as origins send them: with white space around a chunk's size
 * and in its extensions. That is safe because nothing of the framing goes on: each body is framed anew.
 */
#ifndef HTTP_CHUNKS_H
#define HTTP_CHUNKS_H

#include "http/message.h"

/* As http_parser_body, for a response whose framing is HTTP_CHUNKED. */
enum http_result http_chunks_take(struct http_parser *parser, struct bytes *input, struct bytes *piece);

/* A part of a trailer section as it comes, with which it stays below HTTP_TRAILERS_MAX; its final empty line too. */
void http_keep_trailers(struct http_parser *parser, struct bytes part);

#endif
