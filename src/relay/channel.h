/*
 * The connections of HTTP/2 to an origin, which are called channels here, since each carries many exchanges: their life, the
 * choice among them, and the exchanges that wait for one. http2.c has what happens to one exchange.
 */
#ifndef RELAY_CHANNEL_H
#define RELAY_CHANNEL_H

#include "relay/exchange.h"
#include "ring/ring.h"

enum channel_state {
    CHANNEL_CONNECTING,
    CHANNEL_OPEN,
    CHANNEL_LEFT, /* the connection is lost: clients may take what they have not taken yet of answers that are complete */
    CHANNEL_OVER, /* likewise, and there are none */
};

struct relay_channel {
    struct relay *relay;
    struct relay_origin *origin;
    struct relay_link link;        /* its stream is NULL when it is gone, and the channel is CHANNEL_LEFT */
    struct http2_session *session; /* NULL before it is connected, and when it is over */
    enum channel_state state;
    bool settled;             /* the origin has spoken: how many streams it takes is known */
    bool reused;              /* has carried an exchange that is through */
    bool retired;             /* takes no more exchanges */
    bool doubted;             /* likewise until something comes: it may be dead */
    bool stuck;               /* the ring is out of chunks */
    bool busy;                /* a function of the session is on the stack, which must not be freed */
    bool idle;                /* carries nothing: `timer` says when it closes */
    bool pinged;              /* ... and nothing has come since */
    bool responded;           /* a part of a response has come since the last PING */
    struct list in_origin;    /* among its origin's */
    struct list exchanges;    /* that have their streams on it */
    struct list resumed;      /* those that take more of their bodies */
    struct ring_task work;    /* does what must not be done in a call of an exchange's owner */
    struct timer timer;       /* for the next step of its life, or for a look whether the origin is alive */
    uint64_t heard_ms;        /* when bytes came last, or it ceased to be idle */
    uint64_t ping_allowed_ms; /* without a response since the last PING, the next one goes no sooner */
    uint64_t pinged_ms;
};

/* How a channel speaks to its exchanges, and to those that wait: http2.c has the functions. */
struct channel_user {
    /*
     * Gives an exchange, which does not wait, its stream on a channel with a vacancy. 0, -ENOMEM, or another negative errno:
     * the channel takes none. Calls no handler of the exchange.
     */
    int (*seat)(struct relay_exchange *exchange, struct relay_channel *channel);
    /* An exchange that has waited was given its stream. */
    void (*seated)(struct relay_exchange *exchange);
    /* No connection could be made to the exchange's origin, for which it does not wait any more. */
    void (*unconnected)(struct relay_exchange *exchange, const struct relay_failure *failure);
    /* The channel is over, and the exchange has parted from it. `untouched`: the origin has nothing of the request. */
    void (*lost)(struct relay_exchange *exchange, enum relay_error error, enum relay_fault fault, bool untouched);
    /* For what comes on the streams; the owner of sessions is the channel. */
    struct http2_handler session;
};
extern const struct channel_user channel_user;

/*
 * Gives an exchange a stream to exchange->origin, or has it wait for one. 0, -EAGAIN: as many wait as may; or another
 * negative errno: no connection could be begun. Calls no handler of an exchange.
 */
int channel_join(struct relay_exchange *exchange);
/* The exchange parts from its channel, if any, or waits no longer. Its stream, if any, is the caller's to end. */
void channel_part(struct relay_exchange *exchange);
/* Returns whether a channel to the origin is open. */
bool channel_is_open(const struct relay_origin *origin);
/* Has what was given to the session leave, bodies that are resumed come, and exchanges that wait be seated: soon. */
void channel_defer(struct relay_channel *channel);
/* Of the session's handler. */
void channel_output(void *owner, struct bytes frames);
size_t channel_output_room(void *owner);
/* Closes those that carry nothing; of one origin. */
void channel_close_idle(struct relay *relay);
void channel_close_idle_of(struct relay_origin *origin);

#endif
