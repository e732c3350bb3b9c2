/* Listening sockets. Each shard binds its own, all with SO_REUSEPORT, so the kernel spreads connections over them. */
#ifndef RING_LISTENER_H
#define RING_LISTENER_H

#include "ring/stream.h"

#include <netinet/in.h>

enum { LISTENER_ACCEPTS = 16 /* accepts in flight for each listener */ };

struct listener;

/* A new connection. The callee owns `stream` from here on and must set its handler and owner before it returns. */
typedef void listener_accept_fn(struct listener *listener, struct stream *stream, const struct sockaddr *peer);

struct listener_slot {
    struct listener *listener;
    struct sockaddr_storage peer;
    socklen_t peer_size;
    bool armed;
};

struct listener {
    struct ring *ring;
    struct listener *next; /* in the ring's list of paused listeners */
    listener_accept_fn *accept;
    void *owner;
    int descriptor;
    bool closing;
    bool paused; /* out of streams or descriptors: re-armed when a stream closes */
    struct listener_slot slots[LISTENER_ACCEPTS];
};

/*
 * Makes, binds and listens on a socket for one shard. `text` is "1.2.3.4:443" or "[::1]:443"; port 0 picks one. The
 * descriptor, or a negative errno with one line in `error` (address in use, permission, not a local address).
 */
int listener_bind(const char *text, char error[static RING_ERROR_SIZE]);
/* -EADDRINUSE when another process listens there already: SO_REUSEPORT would hide it. 0 when free. */
int listener_probe(const char *text, char error[static RING_ERROR_SIZE]);

/* Starts to accept on a descriptor from listener_bind, which it owns from now on. */
void listener_start(struct listener *listener, struct ring *ring, int descriptor, listener_accept_fn *accept, void *owner);
/* Stops accepting and closes; done when the ring has no accept of it in flight (ring_turn takes care). */
void listener_stop(struct listener *listener);

#endif
