/*
 * One thread that plays scripts (script.h) on sockets, by io_uring and nothing else: no TLS, no parser, no timer, no limit.
 * Each socket has one operation under way at a time. The CPU
 * time of a server's process that does this is the least that accepts, bytes and closes cost.
 */
#ifndef BENCH_LIMIT_PARTY_H
#define BENCH_LIMIT_PARTY_H

#include "limit/script.h"

#include <liburing.h>
#include <netinet/in.h>

enum { PARTY_SIDES_MAX = 4096, PARTY_BUFFER_SIZE = 64 * 1024 };

/* A socket, and where it is in its script. */
struct side {
    struct party *party;
    const struct script *script;
    int socket; /* -1: free */
    int origin; /* -1: it has none now */
    enum { SIDE_CONNECTING, SIDE_PLAYING, SIDE_WAITING } state;
    unsigned step;
    uint32_t left; /* bytes of the step */
    uint32_t held; /* bytes in the buffer, to be forwarded */
    uint8_t *buffer;
    struct side *next_free;
};

struct party {
    struct io_uring uring;
    struct side sides[PARTY_SIDES_MAX];
    struct side *free;
    int origins[PARTY_SIDES_MAX]; /* idle connections */
    unsigned origin_count;
    struct {
        int socket;
        const struct script *script;
    } listeners[2];
    unsigned listener_count;
    struct sockaddr_in server; /* that sides which end connect to again */
    bool reconnects;
    uint64_t exchanges; /* scripts that were played to their end */
    uint64_t failures;
};

/* Zeroed memory before. Ends the program when the kernel refuses. */
void party_init(struct party *party);
/* Plays a script on each connection that a listening socket accepts. */
void party_listen(struct party *party, int listener, const struct script *script);
/* Connects `count` sides to a server, and again whenever one has ended. */
void party_connect(struct party *party, const struct sockaddr_in *server, const struct script *script, unsigned count);
/* Opens `count` connections to an origin, for scripts that want one. */
void party_open_origins(struct party *party, const struct sockaddr_in *origin, unsigned count);
/* Goes on until that moment of the monotonic clock. */
void party_play(struct party *party, uint64_t until_ns);

#endif
