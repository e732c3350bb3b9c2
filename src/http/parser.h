/*
 * Parses HTTP/1.x messages (RFC 9110, RFC 9112) by llhttp in its strict mode, and decides what llhttp leaves open: how a
 * body is framed, what is refused and with which status. A head is parsed where it lies; a body is handed through piece by
 * piece and never kept.
 */
#ifndef HTTP_PARSER_H
#define HTTP_PARSER_H

#include "http/parser_state.h"

/*
 * Begins a request; `message` has its headers and headers_max set. A head of more than `head_size_max` bytes is refused with
 * 431, or 414 where its first line alone is longer.
 */
void http_parser_init_request(struct http_parser *parser, struct http_message *message, uint32_t head_size_max);
/* Begins a response. `to_head`: it answers a HEAD request, so it has no body whatever its head says. */
void http_parser_init_response(struct http_parser *parser, struct http_message *message, uint32_t head_size_max,
                               bool to_head);

/*
 * Reads the head. `head` is all of it that has come so far, from its first byte, and maybe more behind it. Returns
 * HTTP_PARSE_MORE, HTTP_PARSE_HEAD (then message->head_size bytes are used up) or HTTP_PARSE_ERROR. One CRLF before a
 * request is skipped. An informational response (1xx) is a message of its own: HTTP_PARSE_HEAD, and the next
 * http_parser_body call yields HTTP_PARSE_END.
 */
enum http_result http_parser_head(struct http_parser *parser, struct bytes head);

/*
 * Reads on behind the head. Consumes bytes from the front of `*input` (and advances it), and returns HTTP_PARSE_BODY with a
 * view of decoded bytes in `*piece`, HTTP_PARSE_END, HTTP_PARSE_MORE or HTTP_PARSE_ERROR. Call until HTTP_PARSE_MORE or
 * HTTP_PARSE_END. Trailers are checked, and kept if parser->trailers is set. HTTP_PARSE_END waits for no byte beyond the
 * message's own.
 *
 * A request must keep to the letter of RFC 9112 section 7.1. A response may have white space around its chunks' sizes and
 * within their extensions: nothing that is read here is sent on as it came.
 */
enum http_result http_parser_body(struct http_parser *parser, struct bytes *input, struct bytes *piece);

/* Returns the trailer section once HTTP_PARSE_END has come: lines that end in CRLF, or empty bytes when none was kept. */
static inline struct bytes http_parser_trailers(const struct http_parser *parser) {
    return bytes_of(parser->trailers, parser->trailers_size);
}

/* Ends the message when its sender has closed. True when that completes it (HTTP_UNTIL_CLOSE), false when it was cut short.
 */
bool http_parser_finish(struct http_parser *parser);

#endif
