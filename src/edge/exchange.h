/* A request and its answer: parsed, decided upon, relayed or answered here. */
#ifndef EDGE_EXCHANGE_H
#define EDGE_EXCHANGE_H

#include "edge/connection.h"
#include "edge/journal.h"
#include "http/parser.h"

struct passage_room;

struct exchange {
    struct connection *connection;
    struct http_parser parser;
    struct http_message request;  /* its spans are only good while the head is; its headers are below */
    struct relay_exchange *relay; /* NULL when the answer is ours, or complete */
    uint64_t started_ns;          /* the head was complete */
    uint64_t relayed_ns;
    uint64_t origin_ns; /* from there to the head of its answer; 0: there is none */
    uint64_t body_in;   /* bytes of the request's body, and of the answer's */
    uint64_t body_out;
    uint64_t discard_left;     /* bytes of request body that may still be read and dropped */
    unsigned code;             /* of the answer, once its head is sent */
    enum http_framing framing; /* of the answer's body, towards the client */
    bool refused;              /* the head is no HTTP that we take: see parser.error_status */
    bool dismissed;            /* nothing can come of the connection, and others need its place */
    bool request_done;         /* the request's body too */
    bool answer_done;
    bool keep_alive;               /* what the answer's head said */
    bool paused;                   /* the origin has been told to wait */
    enum relay_fault origin_fault; /* why there is no whole answer of an origin's; RELAY_FAULT_NONE */
    struct passage_room *room;     /* NULL: the request announces no trailers, or they go nowhere */
    struct journal_note note;
    struct http_header headers[HTTP_HEADERS_MAX];
};

/* NULL when the pool is empty. */
struct exchange *exchange_create(struct connection *connection);
/* Frees it; aborts what is in flight. */
void exchange_destroy(struct exchange *exchange);

/*
 * All bytes of the head so far. HTTP_PARSE_HEAD: the caller enters CONNECTION_EXCHANGE and calls exchange_begin with the
 * same bytes. HTTP_PARSE_ERROR: the same, and exchange_begin answers it.
 */
enum http_result exchange_head(struct exchange *exchange, struct bytes head);

/* Decides: answers here, or relays. The exchange may be gone when this or exchange_body returns. */
void exchange_begin(struct exchange *exchange, struct bytes head);
/* Bytes behind the head. Returns how many were used; the rest belongs to the next request. */
size_t exchange_body(struct exchange *exchange, struct bytes input);
/* Whether more of the request may be read now. */
bool exchange_wants_body(const struct exchange *exchange);
/* Something of the answer has been sent: the origin waits when the client does not take it. */
void exchange_hold_back(struct exchange *exchange);
/* The client takes more of the answer. */
void exchange_drained(struct exchange *exchange);
/* The client has been silent for too long, with a part of the head sent or in the midst of the exchange. */
void exchange_timed_out(struct exchange *exchange);

#endif
