/*
 * An exchange on a connection of HTTP/1, and the connection behind it: whether it is kept for the next request, or ends
 * (RFC 9112 section 9).
 */
#ifndef EDGE_HTTP1_EXCHANGE_H
#define EDGE_HTTP1_EXCHANGE_H

#include "edge/connection.h"
#include "edge/exchange.h"
#include "http/parser.h"

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

/* The stages of such a connection: http1.c has their tables. */
extern const struct stage http1_waiting;    /* for the first byte of a request */
extern const struct stage http1_head;       /* a part of a request's head is there */
extern const struct stage http1_answering;  /* a request is being answered */
extern const struct stage http1_tunnelling; /* it has made a tunnel of the connection */

static inline struct http1_exchange *http1_of_exchange(const struct exchange *exchange) {
    return CONTAINER_OF(exchange, struct http1_exchange, exchange);
}

static inline struct connection *http1_connection(const struct exchange *exchange) {
    return exchange->owner;
}

/*
 * Returns whether the connection is to be kept after the answer whose head is about to be written. Behind an answer of ours
 * the rest of a request must be found cheaply.
 */
bool http1_is_worth_keeping(struct http1_exchange *http1);
/* The answer is queued. With a body still on its way the exchange stays, to read and drop it; else as http1_complete. */
void http1_finish_answer(struct http1_exchange *http1);
/* Request and answer are complete: waits for the next request, or ends the connection. */
void http1_complete(struct connection *connection);
/* Ends the exchange, and gives its memory back. */
void http1_end_exchange(struct connection *connection);
/* Ends a connection whose client has said its last word, once nothing is left to answer: after each step of its work. */
void http1_part(struct connection *connection);

#endif
