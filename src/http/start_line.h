/*
 * The first line of a request (RFC 9112 section 3). llhttp would know only a list of methods, and lets pass several spaces,
 * missing versions and the start lines of protocols that look like HTTP. A part of http/parser.
 */
#ifndef HTTP_START_LINE_H
#define HTTP_START_LINE_H

#include "http/parser_state.h"

/*
 * Reads from parser->parsed to `size`, the bytes of parser->head that may be read. The line must be exactly method SP
 * request-target SP "HTTP/" digit "." digit CRLF. HTTP_PARSE_HEAD: it is complete, parser->parsed is behind it, and method,
 * target, minor and what the method means are in the message. HTTP_PARSE_MORE: it has not ended. HTTP_PARSE_ERROR: 400, 414,
 * 501 for a method over HTTP_METHOD_MAX (RFC 9112 section 3), 505. The answer does not depend on how the bytes came.
 */
enum http_result http_start_line(struct http_parser *parser, size_t size);

#endif
