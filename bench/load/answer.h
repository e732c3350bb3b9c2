/* An answer over HTTP/1.1 that comes in pieces of any size. */
#ifndef BENCH_LOAD_ANSWER_H
#define BENCH_LOAD_ANSWER_H

#include "http/parser.h"

struct answer {
    struct http_parser parser;
    uint8_t *held; /* the head as far as it has come, when it has come in pieces; malloc'd */
    uint32_t held_size;
    unsigned status;
    bool in_body;
};

/* Where a head is parsed to, during one call: the same for all connections. */
struct answer_room {
    struct http_message message;
    struct http_header headers[HTTP_HEADERS_MAX];
};

enum answer_result {
    ANSWER_GOES_ON,
    ANSWER_COMPLETE, /* answer->status is the status */
    ANSWER_BROKEN,   /* it is no HTTP, or it is too large: *error is a static text */
};

/* Another answer begins. Zeroed memory before the first. */
void answer_begin(struct answer *answer);
/* Reads on. Bytes behind the answer break it. */
enum answer_result answer_take(struct answer *answer, struct answer_room *room, struct bytes data, const char **error);
/* Frees what it holds. */
void answer_drop(struct answer *answer);

#endif
