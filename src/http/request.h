/* The rules that a request's head must keep before anything is done for it. A part of http/parser. */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include "http/parser_state.h"

/*
 * Judges a head that llhttp has found complete (RFC 9112 sections 3 and 6, RFC 9110 sections 7.2 and 10.1.1), and fills in
 * what the message does not have yet. HTTP_PARSE_HEAD, or HTTP_PARSE_ERROR by http_refuse().
 */
enum http_result http_request_judge(struct http_parser *parser);

#endif
