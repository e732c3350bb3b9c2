/* An origin of the simulation: one connection of it. It checks what it gets, and answers in all the ways that origins do. */
#ifndef TESTS_SIMULATOR_ORIGIN_H
#define TESTS_SIMULATOR_ORIGIN_H

#include "kernel.h"
#include "talk.h"

enum origin_stage {
    ORIGIN_HEAD,
    ORIGIN_BODY,
    ORIGIN_WAITING, /* before its answer */
    ORIGIN_ANSWER,
    ORIGIN_GREETED, /* of the tcp host: has said its first word, and waits for the client's number */
    ORIGIN_TUNNEL,
};

struct origin {
    struct kernel_socket *socket; /* NULL: this place is free */
    struct talk *talk;
    const bool *enforced; /* by host: it has been in mode enforce for all of the run */
    bool faulty;          /* may break off at any moment */
    bool connected;
    enum origin_stage stage;
    struct talk_buffer in;
    struct talk_buffer out;
    uint32_t number; /* of the request that is being answered */
    struct talk_body body;
    size_t tunnelled; /* bytes of the answer that are sent in the other protocol, or wait in `out` */
    bool finished;    /* has sent FIN */
    bool silent;      /* never answers */
    bool ends_after;  /* closes behind this answer */
    bool delimited;   /* by its length or by chunks; else by that end */
    bool verified;    /* of the tcp host: its PROXY header says that the client's certificate is valid */
    unsigned answered;
};

/* The shard connects. */
void origin_begin(struct origin *origin, struct kernel_socket *socket, struct talk *talk, const bool *enforced, bool faulty);
/* Does one thing, as the seed has it. */
void origin_step(struct origin *origin);
void origin_leave(struct origin *origin, bool by_reset);

#endif
