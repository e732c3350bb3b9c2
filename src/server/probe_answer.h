/*
 * The answer to a probe over HTTP/1, up to the head that has its status: bytes in, a status out. It
 * takes each head that relay/response takes, so that an origin which serves requests answers probes too. The body is not
 * read. Pure.
 */
#ifndef SERVER_PROBE_ANSWER_H
#define SERVER_PROBE_ANSWER_H

#include "http/gather.h"
#include "relay/relay.h"
#include "ring/state.h"

enum {
    /* A head that is complete, or too large, is known to be when one delivery more has come; mending adds to each line. */
    PROBE_ANSWER_BUFFER_SIZE = 2 * RELAY_RESPONSE_HEAD_MAX + RING_RECEIVE_SIZE,
};

struct probe_answer {
    struct http_parser parser;
    struct http_message message;
    struct http_gather gather;
    uint32_t interim; /* informational heads before the final one */
    struct http_header headers[RELAY_RESPONSE_HEADERS_MAX];
    uint8_t buffer[PROBE_ANSWER_BUFFER_SIZE];
};

enum probe_reading {
    PROBE_MORE,      /* the head is not complete */
    PROBE_ANSWERED,  /* answer->message.status is the answer's */
    PROBE_MALFORMED, /* the bytes are none: answer->parser.error, a static text, says why */
    PROBE_UNMADE,    /* over HTTP/2 (probe_http2.h): there is not memory enough here */
};

void probe_answer_begin(struct probe_answer *answer);
/* Takes the next bytes, RING_RECEIVE_SIZE at most. Not after another result than PROBE_MORE. */
enum probe_reading probe_answer_read(struct probe_answer *answer, struct bytes data);
/* Behind PROBE_MALFORMED: returns whether the bytes begin with a status line of HTTP/1.x. */
bool probe_answer_is_http(const struct probe_answer *answer);

#endif
