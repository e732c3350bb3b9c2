/*
 * The life of a connection of HTTP/2 to an origin, which is called a channel here, since it carries many exchanges. seats.c
 * chooses among an origin's channels, and http2.c has what happens to one exchange.
 */
#ifndef RELAY_CHANNEL_H
#define RELAY_CHANNEL_H

#include "relay/exchange.h"
#include "relay/pulse.h"
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
    bool settled;          /* the origin has spoken: how many streams it takes is known */
    bool reused;           /* has carried an exchange that is through */
    bool retired;          /* takes no more exchanges */
    bool doubted;          /* likewise until something comes: it may be dead */
    bool stuck;            /* the ring is out of chunks */
    bool busy;             /* a function of the session is on the stack, which must not be freed */
    bool idle;             /* carries nothing: `timer` says when it closes */
    struct list in_origin; /* among its origin's */
    struct list exchanges; /* that have their streams on it */
    struct list resumed;   /* those that take more of their bodies */
    struct ring_task work; /* does what must not be done in a call of an exchange's owner */
    struct timer timer;    /* for the next step of its life, or for a look whether the origin is alive */
    struct pulse pulse;    /* of the origin, while the channel carries something */
};

/* The events of channels. http2.c has the functions of exchanges, and seats.c those of exchanges that wait. */
struct channel_user {
    /* A channel to the origin may take more exchanges, or it is gone and others are wanted. May call handlers. */
    void (*vacant)(struct relay *relay, struct relay_origin *origin);
    /* No connection could be made to the origin, and no channel to it is left. May call handlers. */
    void (*unconnected)(struct relay_origin *origin, const struct relay_failure *failure);
    /* The channel is over, and the exchange has parted from it. `untouched`: the origin has nothing of the request. */
    void (*lost)(struct relay_exchange *exchange, enum relay_error error, enum relay_fault fault, bool untouched);
    /* Likewise, since the origin refuses our certificate (RELAY_FAULT_TLS_HANDSHAKE): it has nothing of the request. */
    void (*refused)(struct relay_exchange *exchange, const struct relay_failure *failure);
    /* For what comes on the streams; the owner of sessions is the channel. */
    struct http2_handler session;
};
extern const struct channel_user channel_user;

/* Begins to connect. 0 or a negative errno. */
int channel_open(struct relay *relay, struct relay_origin *origin);
/* Returns whether the channel takes one exchange more. */
bool channel_has_vacancy(const struct relay_channel *channel);
/* Returns whether it is known how many exchanges the channel takes, or none will be given to it. */
bool channel_is_settled(const struct relay_channel *channel);
/* The exchange parts from its channel, if it has one. Its stream, if any, is the caller's to end. */
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
