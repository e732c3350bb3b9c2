/*
 * An origin of the simulation: one connection of it. It checks what it gets, and answers in all the ways that origins do, in
 * HTTP/1, in HTTP/2 or in bare bytes.
 */
#ifndef TESTS_SIMULATOR_ORIGIN_H
#define TESTS_SIMULATOR_ORIGIN_H

#include "kernel.h"
#include "origin_link.h"
#include "talk.h"

/* The second byte of an origin's address says how it speaks. */
enum origin_speech {
    ORIGIN_TLS = 1,
    ORIGIN_HTTP2 = 2,
    ORIGIN_PROXY = 4, /* its connections begin with a PROXY header */
    ORIGIN_BARE = 8,  /* it is one of the tcp host, and speaks first */
};

/* Things that an origin has done, each of which explains some failures of requests. */
enum origin_misdeed {
    ORIGIN_REFUSED = 1,
    ORIGIN_BROKE_OFF = 2, /* by FIN or reset */
    ORIGIN_WROTE_NONSENSE = 4,
    ORIGIN_WAS_EXPIRED = 8, /* or has had a certificate of no CA that is trusted */
    ORIGIN_WAS_ANOTHER = 16,
    ORIGIN_AGREED_ON_NOTHING = 32, /* by ALPN */
    ORIGIN_CUT_TLS = 64,
    ORIGIN_SPOILT_TLS = 128,
    ORIGIN_RESET_STREAMS = 256,
    ORIGIN_TURNED_AWAY = 512, /* by REFUSED_STREAM or GOAWAY */
};

enum origin_stage {
    ORIGIN_HEAD,
    ORIGIN_BODY,
    ORIGIN_WAITING, /* before its answer */
    ORIGIN_ANSWER,
    ORIGIN_GREETED, /* of the tcp host: has said its first word, and waits for the client's number */
    ORIGIN_TUNNEL,
    ORIGIN_STREAMS, /* of HTTP/2 */
    ORIGIN_CLOSING, /* sends what is left, and no more */
};

/* Handshakes of TLS 1.3 that origins have completed: then the shard has, too. */
struct origin_counts {
    uint64_t handshakes;
    uint64_t resumed;
};

/* Things that are the same for all connections of all origins. */
struct origin_place {
    struct talk *talk;
    const bool *enforced; /* by host: it has been in mode enforce for all of the run */
    bool faulty;          /* may break off at any moment */
    struct origin_counts *counts;
    const struct origin_link_plan *plan; /* NULL: by the seed */
};

struct origin {
    struct kernel_socket *socket; /* NULL: this place is free */
    struct talk *talk;
    const bool *enforced;
    bool faulty;
    bool connected;
    bool spoken;        /* has begun to speak */
    uint8_t speech;     /* enum origin_speech */
    uint32_t *misdeeds; /* of its address */
    struct origin_counts *counts;
    enum origin_stage stage;
    struct origin_link link;
    struct origin_http2 *http2; /* NULL: it speaks HTTP/1, or is not ready */
    struct talk_buffer in;
    struct talk_buffer out;
    uint32_t number; /* of the request that is being answered */
    struct talk_body body;
    size_t tunnelled; /* bytes of the answer that are sent in the other protocol, or wait in `out` */
    bool finished;    /* has ended its side */
    bool silent;      /* never answers */
    bool ends_after;  /* closes behind this answer */
    bool delimited;   /* by its length or by chunks; else by that end */
    unsigned answered;
};

/* The shard connects. `misdeeds`, of its address, outlives the origin. */
void origin_begin(struct origin *origin, struct kernel_socket *socket, const struct origin_place *place, uint32_t *misdeeds);
/* Does one thing, as the seed has it. */
void origin_step(struct origin *origin);
void origin_leave(struct origin *origin, bool by_reset);

/* For origin_http2.c: takes a request's head, with lines as in HTTP/1. Sets origin->number. */
struct talk_request *origin_take_request(struct origin *origin, const char *head, size_t head_size);

#endif
