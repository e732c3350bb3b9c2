/*
 * Relays informational responses and trailers, which pass between client and origin beside a request and its answer. An
 * informational response goes only to a client of HTTP/1.1, trailers of an answer only to a client that asked for trailers,
 * trailers of a request only as far as the client announced them.
 */
#ifndef EDGE_PASSAGE_H
#define EDGE_PASSAGE_H

#include "edge/exchange.h"

enum { PASSAGE_ANNOUNCED_MAX = 1024 /* bytes; a request that announces more has its trailers dropped */ };

/* One for each exchange that has announced trailers. */
struct passage_room {
    uint32_t announced_size;
    char announced[PASSAGE_ANNOUNCED_MAX];
    uint8_t section[HTTP_TRAILERS_MAX];
};

/* The request goes to an origin: sets what its head will say of trailers, and readies the parser to keep them. */
void passage_begin(struct exchange *exchange, struct bytes head);
/* The request is complete: its trailers for the origin, as lines in the shard's memory for a head. Empty mostly. */
struct bytes passage_request_trailers(struct exchange *exchange);
/* Gives back what passage_begin took. */
void passage_end(struct exchange *exchange);

/* As the relay's handler `interim`, with an exchange as owner. */
void passage_interim(void *owner, const struct http_message *response, const void *head);
/* Sends the end of a chunked answer. False when the connection has ended by that. */
bool passage_response_end(struct exchange *exchange, struct bytes trailers);

#endif
