/*
 * The way of an exchange of HTTP/2 to a stream, which is called its seat here: the choice among the channels of its origin,
 * and the exchanges that wait for one. At most RELAY_CHANNELS_MAX channels are opened to an origin, and RELAY_WAITING_MAX
 * exchanges wait for it.
 */
#ifndef RELAY_SEATS_H
#define RELAY_SEATS_H

#include "relay/channel.h"

/* The events of exchanges on their way: http2.c has the functions. */
struct seats_user {
    /*
     * Gives an exchange, which does not wait, its stream on a channel with a vacancy. 0, -ENOMEM, or another negative errno:
     * the channel takes none. Calls no handler of the exchange.
     */
    int (*seat)(struct relay_exchange *exchange, struct relay_channel *channel);
    /* An exchange that has waited was given its stream. */
    void (*seated)(struct relay_exchange *exchange);
    /* No connection could be made to the exchange's origin, for which it does not wait any more. */
    void (*unconnected)(struct relay_exchange *exchange, const struct relay_failure *failure);
};
extern const struct seats_user seats_user;

/*
 * Gives an exchange a stream to exchange->origin, or has it wait for one. 0, -EAGAIN: as many wait as may; or another
 * negative errno: no connection could be begun. Calls no handler of an exchange.
 */
int seats_join(struct relay_exchange *exchange);
/* The exchange parts from its channel, or waits no longer, if it does either. Its stream is the caller's to end. */
void seats_leave(struct relay_exchange *exchange);

/* Seats the exchanges that wait for an origin, as far as its channels take more. Calls handlers. */
void seats_serve(struct relay *relay, struct relay_origin *origin);
/*
 * No connection to the origin could be made, and none is there: tells all that wait. Those that begin to wait meanwhile are
 * not told.
 */
void seats_disappoint(struct relay_origin *origin, const struct relay_failure *failure);

#endif
