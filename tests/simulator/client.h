/*
 * A client of the simulation: a TLS client of wolfSSL's, or somebody who does not even speak TLS. Over TLS it speaks HTTP/1,
 * or HTTP/2 where it offers that and the shard chooses it.
 */
#ifndef TESTS_SIMULATOR_CLIENT_H
#define TESTS_SIMULATOR_CLIENT_H

#include "kernel.h"
#include "stats/labels.h"
#include "talk.h"

#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

enum { CLIENT_PIPELINE_MAX = 8 };

enum client_kind { CLIENT_TLS, CLIENT_GARBAGE, CLIENT_PLAIN_HTTP, CLIENT_SILENT };

struct client_plan {
    enum client_kind kind;
    enum talk_certificate certificate;
    enum talk_host host;
    bool tls12;
    const char *behind; /* a balancer's header says that the client has this address; NULL: there is no header */
    bool http2;         /* offers h2 before http/1.1 */
    bool rude;          /* may leave, or break off, at any moment */
    bool sluggish;      /* sends its bytes few at a time */
    bool deaf;          /* stops to read */
    bool shut;          /* begins with windows that are shut, and never opens them */
    unsigned requests;
    const struct talk_request *request; /* the framing and sizes of each; NULL: by the seed */
    bool upgrades;                      /* the first request offers another protocol */
};

/* How a stream of HTTP/2 ends for the client that began it. */
enum client_stream_end {
    CLIENT_STREAM_ANSWERED,
    CLIENT_STREAM_RESET,    /* by the client */
    CLIENT_STREAM_RESET_US, /* by the shard, before the answer was complete */
    CLIENT_STREAM_REFUSED,  /* by the shard, which has done nothing for it: it may be sent again */
    CLIENT_STREAM_LOST,     /* with its connection */
    CLIENT_STREAM_ENDS,
};

/* Counts of a run, from the clients' side. */
struct client_counts {
    uint64_t handshakes;
    uint64_t resumed;
    uint64_t answers[STATS_PROTOCOL_COUNT][600]; /* by status; complete ones */
    uint64_t streams;                            /* begun */
    uint64_t raw_frames;                         /* that break rules; each may begin a stream that has no other trace here */
    uint64_t stream_ends[CLIENT_STREAM_ENDS];
    uint64_t farewells; /* GOAWAY frames that have come, without an error */
    uint64_t faults;    /* ... with one */
};

struct simulated_client {
    struct kernel_socket *socket; /* NULL: this place is free */
    struct client_plan plan;
    struct in_addr from; /* its address, as a balancer or the kernel says */
    struct talk *talk;
    struct client_counts *counts;
    WOLFSSL *tls;
    WOLFSSL_SESSION **session; /* where the next client of the same kind finds one to resume with */
    bool secured;              /* the handshake is done */
    bool broken;               /* TLS has failed; nothing more is said */
    bool said_goodbye;
    bool finished;                       /* has sent FIN */
    struct talk_buffer out;              /* for the network */
    struct talk_buffer in;               /* from the network */
    struct talk_buffer text;             /* decrypted, and not yet understood */
    uint32_t asked[CLIENT_PIPELINE_MAX]; /* requests without a complete answer, the oldest first */
    unsigned asked_count;
    unsigned requests_left;
    bool in_body; /* of the answer to the oldest */
    unsigned status;
    bool by_origin;
    bool in_tunnel;   /* the oldest request has made one of the connection, or the host is TALK_TCP */
    bool greeted;     /* by the origin of TALK_TCP */
    size_t tunnelled; /* bytes of its body that are sent */
    bool last;        /* the answer says that the connection ends behind it */
    struct talk_body body;
    struct client_http2 *http2; /* NULL: HTTP/1, or the handshake is not done */
};

/* Once for the process: certificates, keys, and contexts with them. */
void client_set_up(void);
/* A client that has just connected from this address. */
void client_begin(struct simulated_client *client, struct kernel_socket *socket, const struct client_plan *plan,
                  struct in_addr from, struct talk *talk, struct client_counts *counts, WOLFSSL_SESSION **session);
/* Does one thing, as the seed has it. Leaves when there is nothing left to do. */
void client_step(struct simulated_client *client);
/* The single things, for a test that leaves nothing to the seed: sends up to `size` bytes of what is to be sent... */
void client_push(struct simulated_client *client, size_t size);
/* ... takes what has come, goes on with the handshake and reads answers... */
void client_pull(struct simulated_client *client);
/* ... and writes a request, which client_push then sends. */
void client_ask(struct simulated_client *client);
/* Leaves now, and frees all it has. */
void client_leave(struct simulated_client *client, bool by_reset);

#endif
