/* The rules that a response's head must keep before it is passed on. A part of http/parser. */
#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H

#include "http/parser_state.h"

/*
 * Judges a head that llhttp has found complete (RFC 9112 sections 4 and 6.3), and fills in what the message does not have
 * yet. HTTP_PARSE_HEAD, or HTTP_PARSE_ERROR by http_refuse_response(): all faults are the origin's.
 */
enum http_result http_response_judge(struct http_parser *parser);

/* Returns where the fault lies in a response whose head llhttp has just refused. */
enum http_fault http_response_fault(const struct http_parser *parser);

#endif
