/*
 * A request and its answer: decided upon, then relayed or answered here, and accounted for. An exchange knows the client
 * that asks, and speaks to the client by way of its carrier alone: a connection of HTTP/1, say, or a stream of HTTP/2.
 */
#ifndef EDGE_EXCHANGE_H
#define EDGE_EXCHANGE_H

#include "edge/exchange_state.h"

/*
 * Makes an exchange of the carrier's memory, with references to the client's site, host and identity as of now. Then the
 * carrier reads a head to exchange->request.
 */
void exchange_init(struct exchange *exchange, const struct exchange_carrier *carrier, void *owner, struct client *client);
/* Ends it: aborts what is in flight, accounts for it, and lets go of all but its memory. Nothing is sent. */
void exchange_end(struct exchange *exchange);

/*
 * The request's head is complete and well-formed: decides, and answers here or relays. This and the next two may end the
 * exchange by way of its carrier.
 */
void exchange_begin(struct exchange *exchange, struct bytes head);
/*
 * The request cannot go on, at its head or its body: `status` (400, 408, 413, 414, 417, 431, 501, 505) is the answer, unless
 * another has begun. 408: the client was silent for too long. `head` is as much of a refused head as is known, or empty.
 */
void exchange_refuse(struct exchange *exchange, struct bytes head, unsigned status);
/*
 * The request is complete; `trailers` is its section of trailers as they came. Not after request_done. Of a tunnel: the
 * client's half is; this may end the exchange by way of its carrier.
 */
void exchange_body_end(struct exchange *exchange, struct bytes trailers);
/* Takes a piece of the request's body. False: nobody wants it, and it has been counted alone. */
bool exchange_body(struct exchange *exchange, struct bytes piece);
/* The client has said its last word, and may still listen. */
void exchange_doubt(struct exchange *exchange);
/* Returns whether more of the request may be read now. */
bool exchange_wants_body(const struct exchange *exchange);
/* Returns how many bytes of the request's body, or of a tunnel, the origin takes now. */
size_t exchange_room(const struct exchange *exchange);
/* Returns memory of HTTP_TRAILERS_MAX bytes for the request's trailers; NULL: they are to be dropped. */
uint8_t *exchange_trailers_memory(const struct exchange *exchange);
/* The client takes more of the answer. */
void exchange_drained(struct exchange *exchange);

#endif
