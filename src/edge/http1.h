/*
 * HTTP/1.1 and HTTP/1.0 on a client's connection, from the end of the handshake on: the stages WAITING, HEAD and EXCHANGE,
 * and the carrier of its exchanges. All that is HTTP/1's own is here: pipelined requests, whether the connection is kept,
 * 100 (Continue), chunks, `Connection`, and a client that has said its last word.
 */
#ifndef EDGE_HTTP1_H
#define EDGE_HTTP1_H

#include "edge/connection.h"
#include "edge/exchange.h"
#include "http/parser.h"

extern const struct stage http1_waiting;   /* for the first byte of a request */
extern const struct stage http1_head;      /* a part of a request's head is there */
extern const struct stage http1_answering; /* a request is being answered */

/* An exchange with what HTTP/1 needs to carry it. One for each connection at most. */
struct http1_exchange {
    struct exchange exchange;
    uint64_t discard_left;     /* bytes of request body that may still be read and dropped */
    enum http_framing framing; /* of the answer's body, towards the client */
    bool refused;              /* the request is no HTTP that we take, or did not come in time */
    bool answered;             /* the answer is queued, whole */
    bool keep_alive;           /* as the answer's head has said */
    struct http_parser parser;
};

/* The handshake is complete: waits for a request, and reads all that has come already. */
void http1_begin(struct connection *connection);

#endif
