/* Listening sockets. Each shard has its own, all with SO_REUSEPORT, so that the kernel spreads connections over them. */
#ifndef RING_LISTENER_H
#define RING_LISTENER_H

#include "base/error.h"
#include "ring/stream.h"
#include "ring/syn_filter.h"

#include <netinet/in.h>

enum { LISTENER_ACCEPTS = 16 /* accepts in flight for each listener */ };

struct listener;

/* A new connection. The callee owns `stream` from here on and must set its handler and owner before it returns. */
typedef void listener_accept_fn(struct listener *listener, struct stream *stream, const struct sockaddr *peer);

/* One accept in flight. It holds the stream that the accepted socket will get, so that the socket always has a place. */
struct listener_slot {
    struct listener *listener;
    struct stream *stream; /* NULL when no accept is in flight */
    struct sockaddr_storage peer;
    socklen_t peer_size;
};

struct listener {
    struct ring *ring;
    struct listener *next; /* in the ring's list of paused listeners */
    listener_accept_fn *accept;
    void *owner;
    int descriptor;
    unsigned armed; /* accepts in flight */
    bool closing;
    bool ipv6;
    bool blocks;        /* the kernel drops some SYNs: see syn_filter.h */
    bool paused;        /* on the ring's list: re-armed when a stream closes */
    struct timer retry; /* re-arms after the system ran out of descriptors or memory */
    struct listener_slot slots[LISTENER_ACCEPTS];
};

/* An address to listen on. For port 0 the kernel picks a port. */
struct listener_address {
    const struct sockaddr *address;
    socklen_t size;
    const char *text; /* for error texts */
};

/*
 * Makes a socket for one shard and binds it; clients are refused until listener_listen. Returns the descriptor, or a
 * negative errno with one line in `error` (address in use, permission, no local address).
 */
int listener_reserve(struct listener_address at, struct error *error);
/* Listens on a descriptor from listener_reserve: clients may connect from now on. 0, or a negative errno with `error`. */
int listener_listen(int descriptor, struct listener_address at, struct error *error);
/* Reads `text` by socket_address_parse, reserves and listens. Returns the descriptor, or a negative errno with `error`. */
int listener_bind(const char *text, struct error *error);

/*
 * Tries to listen without SO_REUSEPORT, which would hide that another process of the same user listens there already. 0 when
 * that works, or a negative errno with one line in `error`.
 */
int listener_probe(struct listener_address at, struct error *error);

/* Starts to accept on a descriptor from listener_bind, which the listener owns from now on. */
void listener_start(struct listener *listener, struct ring *ring, int descriptor, listener_accept_fn *accept, void *owner);
/*
 * Stops accepting and closes the descriptor. Its memory must stay until listener_is_stopped; `accept` may still be called
 * for connections that came in before the cancellation.
 */
void listener_stop(struct listener *listener);
/*
 * Has the kernel drop SYNs by these rules, in place of earlier ones; their `ipv6` is the listener's. NULL: no SYN is
 * dropped. Neither is one when the kernel refuses the rules.
 */
void listener_screen(struct listener *listener, const struct syn_filter_rules *rules);
/* Returns how many SYNs were dropped so far; the number wraps. */
uint32_t listener_drops(const struct listener *listener);

static inline bool listener_is_stopped(const struct listener *listener) {
    return listener->closing && listener->armed == 0;
}

/* Called by the loop: when an accept has completed, and when a stream was freed, which a paused listener waits for. */
void listener_complete(struct ring *ring, uint64_t name, int result, unsigned flags);
void listener_resume_all(struct ring *ring);

#endif
