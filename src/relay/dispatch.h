/*
 * Finds an exchange its origin: the first one, the next when no connection can be made, another when the request may be sent
 * again (`retry` of the host); and the line of those that wait until an origin has room. It is the same for each protocol
 * that origins speak.
 *
 * A request is sent again for a cause that the host's configuration names, if it is idempotent, all that was given of it is
 * kept, and nothing of an answer has been delivered. It goes to an origin that it has not been at; to one that has refused
 * or could not serve also a second time, where there is no other. The host's budget bounds all retries (retry_budget.h).
 */
#ifndef RELAY_DISPATCH_H
#define RELAY_DISPATCH_H

#include "relay/exchange.h"

/*
 * Has the exchange go to the origin whose turn it is, or wait in line for one. False: there is none, and exchange->fault
 * says why. Calls no handler.
 */
bool dispatch_begin(struct relay_exchange *exchange);
/* Likewise to the next one, when it has left its origin and had not been sent; ends it when there is none. Calls handlers.
 */
void dispatch_next(struct relay_exchange *exchange);
/* Ends an exchange for which there is no origin: exchange->fault says why. */
void dispatch_fail(struct relay_exchange *exchange);
/* The exchange goes to this origin, which the caller has chosen. */
void dispatch_enter(struct relay_exchange *exchange, struct relay_origin *origin);
/* The exchange leaves its origin, or the line, if it is at one. Another may have its place. */
void dispatch_leave(struct relay_exchange *exchange);
/* Returns whether an exchange with a connection of its own to the origin may use that now. */
bool dispatch_may_enter(const struct relay_exchange *exchange, const struct relay_origin *origin);

/*
 * The exchange fails, or its response's head has this status, which was not delivered. True: it has been sent again, or will
 * end from its timer, and the caller is done with it.
 */
bool dispatch_again(struct relay_exchange *exchange, enum relay_error error, enum relay_fault fault);
bool dispatch_again_after_status(struct relay_exchange *exchange);
/* Returns whether a status may be one for which this request is sent again: the response must not use up the buffer then. */
bool dispatch_awaits_status(const struct relay_exchange *exchange);

/* Nothing came of the exchange's wait in line. */
void dispatch_line_timed_out(struct relay_exchange *exchange);
/* Gives origins to those in a host's line, as far as there is room. */
void dispatch_serve(struct ring_task *task);

#endif
