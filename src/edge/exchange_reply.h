/*
 * Answers of the server's own, to requests that it refuses or that no origin has answered, and the headers that it adds to
 * every answer. Each function that sends may end the exchange by way of its carrier.
 */
#ifndef EDGE_EXCHANGE_REPLY_H
#define EDGE_EXCHANGE_REPLY_H

#include "edge/exchange_state.h"

/* Returns the headers that are added to each answer, and taken from it. */
struct http_stamp exchange_stamp(const struct exchange *exchange);

/* Answers with the status and its text. 503 says that the client may ask again a second later (RFC 9110 section 15.6.4). */
void exchange_reply_status(struct exchange *exchange, unsigned status);
/* Answers with the methods that the host takes: 200, or 405 (RFC 9110 sections 10.2.1 and 15.5.6). */
void exchange_reply_allowed(struct exchange *exchange, unsigned status);
/* Answers 403 with the host's page, or with JSON, as the request at `head` prefers. */
void exchange_reply_denied(struct exchange *exchange, struct bytes head);

/* Counts that the request is refused. */
void exchange_count_rejection(const struct exchange *exchange, enum stats_rejection why);
/* Counts that the request is refused, and answers with the status. */
void exchange_reject(struct exchange *exchange, enum stats_rejection why, unsigned status);

/*
 * The origin is heard no more before its answer is complete: tells the client `status` (403, 502, 503 or 504) as far as that
 * can be, by an answer or by the trailers of a call of gRPC; else cuts the answer short.
 */
void exchange_break_off(struct exchange *exchange, unsigned status);

#endif
