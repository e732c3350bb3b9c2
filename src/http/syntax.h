/* The grammar that requests and responses share (RFC 9110 section 5, RFC 3986 section 3.2). For this folder alone. */
#ifndef HTTP_SYNTAX_H
#define HTTP_SYNTAX_H

#include "http/message.h"

/* Refuses the message: the parser's phase becomes HTTP_PHASE_FAILED. `error` is a static text. Returns HTTP_PARSE_ERROR. */
enum http_result http_refuse(struct http_parser *parser, unsigned status, const char *error);

/* Likewise for a response, whose status is always 502. */
enum http_result http_refuse_response(struct http_parser *parser, enum http_fault fault, const char *error);

/* A character of a token (RFC 9110 section 5.6.2). */
bool http_is_token_character(uint8_t c);
/* One or more token characters. */
bool http_is_token(struct bytes text);

/* `text` without spaces and tabs at either end. */
struct bytes http_trim(struct bytes text);

/* Takes the next element that is not empty from a comma-separated list (RFC 9110 section 5.6.1). False at its end. */
bool http_list_next(struct bytes *list, struct bytes *element);

/* `text`, letters in lower case alone, is `lower_case` where letter case is ignored. */
bool http_text_is(struct bytes text, const char *lower_case);

/*
 * Takes an authority apart: a DNS name, an IPv4 address or an IPv6 literal (without its brackets) to `*host`; its port must
 * be empty or 0 to 65535. False for anything else: user information, percent-encoding, other characters, empty.
 */
bool http_authority_host(struct bytes authority, struct bytes *host);

/* What the headers of one head say together; pointers are to the first of that kind, or NULL. */
struct http_head_facts {
    unsigned hosts;
    unsigned content_lengths;
    unsigned transfer_encodings;
    unsigned expects;
    const struct http_header *host;
    const struct http_header *transfer_encoding;
    const struct http_header *expect;
    bool close;      /* Connection: close */
    bool keep_alive; /* Connection: keep-alive */
};

/*
 * One pass over the message's headers: trims their values, sets their kinds, counts message->connection_names.
 * False when those are more than HTTP_CONNECTION_NAMES_MAX.
 */
bool http_head_examine(struct http_message *message, const char *head, struct http_head_facts *facts);

/*
 * Judge a head that llhttp has found complete, and fill in what the message does not have yet. HTTP_PARSE_HEAD, or
 * HTTP_PARSE_ERROR by http_refuse().
 */
enum http_result http_request_judge(struct http_parser *parser);
enum http_result http_response_judge(struct http_parser *parser);

/* Where the fault lies in a response whose head llhttp has just refused. */
enum http_fault http_response_fault(const struct http_parser *parser);

#endif
