/*
 * The state of a parser, which its parts share: start_line, request, response and chunks. Other folders include
 * http/parser.h, and use of the state only `error_status`, `error` and `fault`, `trailers` before the body, `takes_switch`
 * before the head, and `message`, which they may set to NULL behind the head.
 */
#ifndef HTTP_PARSER_STATE_H
#define HTTP_PARSER_STATE_H

#include "http/message.h"

#include <llhttp.h>

enum {
    HTTP_TARGET_MAX = 16 * 1024,
    HTTP_HEAD_SIZE_MIN = 64,      /* of what http_parser_init_* take as head_size_max */
    HTTP_CHUNK_HEAD_MAX = 1024,   /* bytes between two pieces of a chunked body: a size line with its extensions */
    HTTP_TRAILERS_MAX = 8 * 1024, /* bytes of the trailer section */
};

enum http_result {
    HTTP_PARSE_MORE,  /* all bytes are consumed: give more */
    HTTP_PARSE_HEAD,  /* the head is complete: `message` is filled */
    HTTP_PARSE_BODY,  /* a piece of the body */
    HTTP_PARSE_END,   /* the message is complete; what follows belongs to the next one */
    HTTP_PARSE_ERROR, /* refused: `error_status` (requests: 400, 413, 414, 417, 431, 501, 505; responses: 502), `error` */
};

/* The fault of a response that is refused. */
enum http_fault {
    HTTP_FAULT_STATUS_LINE,
    HTTP_FAULT_HEADER,
    HTTP_FAULT_LENGTH, /* Content-Length, or both it and Transfer-Encoding */
    HTTP_FAULT_TRANSFER_ENCODING,
    HTTP_FAULT_CHUNK,
    HTTP_FAULT_TRAILERS,
    HTTP_FAULT_UPGRADE, /* 101, which nobody asked for */
    HTTP_FAULT_TOO_LARGE,
    HTTP_FAULT_TOO_MANY, /* headers */
};

/* A chunked body of a response, as far as it has been read (http/chunks). */
struct http_chunks {
    uint64_t left;  /* of the chunk's size, or of its data */
    uint8_t state;  /* enum chunk_state in chunks.c */
    bool has_digit; /* the size has begun */
};

enum http_phase {
    HTTP_PHASE_START, /* before the first byte of the start line */
    HTTP_PHASE_LINE,  /* in a request's start line */
    HTTP_PHASE_HEAD,
    HTTP_PHASE_BODY,
    HTTP_PHASE_TRAILERS,
    HTTP_PHASE_END,
    HTTP_PHASE_FAILED,
};

struct http_parser {
    llhttp_t llhttp;
    struct http_message *message; /* where the head goes; may be NULL once the body has begun */
    const char *head;             /* during a call */
    uint32_t parsed;              /* bytes of the head that are done with */
    uint32_t start;               /* where the start line begins: behind a CRLF that was skipped */
    uint32_t part_start;          /* of a request line: where the part that is being read begins */
    uint32_t head_size_max;
    uint8_t pending; /* kind of event that the last callback announced */
    uint8_t phase;   /* enum http_phase */
    uint8_t part;    /* of a request line: see start_line.c */
    uint8_t framing; /* enum http_framing of the body */
    bool to_head;
    bool takes_switch;     /* of responses: a 101 is one, since the request has offered another protocol */
    uint64_t body_left;    /* for HTTP_LENGTH: bytes of the body still to come */
    uint32_t framing_size; /* for HTTP_CHUNKED: bytes since the last piece of the body, or of the trailers */
    struct http_chunks chunks;
    uint8_t *trailers; /* where the trailer section goes, HTTP_TRAILERS_MAX bytes; NULL: it is checked and dropped */
    uint32_t trailers_size;
    struct bytes piece;
    unsigned error_status;
    enum http_fault fault; /* of a response */
    const char *error;     /* a static text */
};

/* Refuses the message: the parser's phase becomes HTTP_PHASE_FAILED. `error` is a static text. Returns HTTP_PARSE_ERROR. */
static inline enum http_result http_refuse(struct http_parser *parser, unsigned status, const char *error) {
    parser->phase = HTTP_PHASE_FAILED;
    parser->error_status = status;
    parser->error = error;
    return HTTP_PARSE_ERROR;
}

/* Refuses a response, whose status is always 502. */
static inline enum http_result http_refuse_response(struct http_parser *parser, enum http_fault fault, const char *error) {
    parser->fault = fault;
    return http_refuse(parser, 502, error);
}

#endif
