/*
 * Chooses the connection whose place a newcomer gets when all places for connections are taken. The worth of a place comes
 * from its holder: what the holder has shown (its rank) and what the holder does with the place (its stage). Among equals,
 * the connection that has been in its stage for longest goes. A valid client's place is never taken, and some places stay
 * free of strangers. Pure: queues by rank and stage over entries of the caller, so that each question costs the same
 * however many places there are; clocks are given, in nanoseconds of one clock.
 */
#ifndef GUARD_PLACES_H
#define GUARD_PLACES_H

#include <stdbool.h>
#include <stdint.h>

enum places_rank {
    PLACES_SUSPECT,   /* its source is a suspect, or its host has nothing but 403 for it */
    PLACES_STRANGER,  /* nothing is known of it */
    PLACES_RETURNING, /* it has shown a ticket of ours, and is in its handshake */
    PLACES_KNOWN,     /* its source had a valid certificate lately, or is on the allow list */
    PLACES_VALID,     /* it has a valid certificate itself, and its handshake is complete */
    PLACES_RANKS,
};

enum places_stage {
    PLACES_NONE,     /* it holds no place, or is on its way out and its place is as good as free */
    PLACES_SILENT,   /* it has said nothing */
    PLACES_SPEAKING, /* its handshake is not complete */
    PLACES_HOLDING,  /* likewise, with bytes that wait */
    PLACES_IDLE,     /* its handshake is complete, and it asks for nothing */
    PLACES_BUSY,     /* from the first byte of a request until its answer has left */
    PLACES_KEEPING,  /* likewise, with a part of a request that is kept for it */
    PLACES_UNREAD,   /* likewise, with more of an answer than it takes */
    PLACES_ENDING,   /* it is over, but for what is still to be sent, and its peer's end */
    PLACES_GOING,    /* likewise, and its place is given away: as GONE is counted, but it may be hurried */
    PLACES_STAGES,
};

enum {
    PLACES_SILENT_MS = 250,  /* what a client may take for its first bytes before a stranger may have its place */
    PLACES_EARLY_MS = 1000,  /* and for its handshake */
    PLACES_ENDING_MS = 1000, /* and for the end of its connection */
    PLACES_BUSY_MS = 30000,  /* and a stranger's request, with its answer */
    PLACES_RESERVE = 64,     /* one in so many places is for known clients alone */
    PLACES_CROWDED = 8,      /* places are scarce from where only one in so many is free */
    PLACES_GOING_MAX = 16,   /* that may take their time to go */
};

/* The caller's: one for each connection. Zeroed before its first use; to be left alone by all but these functions. */
struct place {
    struct place *newer;
    struct place *older;
    uint64_t since_ns;
    uint8_t rank;  /* enum places_rank */
    uint8_t stage; /* enum places_stage */
};

/* In the order in which they came to it. */
struct places_queue {
    struct place *newest;
    struct place *oldest;
};

/* Zeroed, it is empty. */
struct places {
    struct places_queue queues[PLACES_VALID][PLACES_STAGES]; /* valid ones are in none */
    uint32_t held;                                           /* places, all that are not NONE or GOING */
    uint32_t strangers;                                      /* of these, ranks below KNOWN */
    uint32_t going;
};

/* Comes, moves on, or has shown more. Nothing happens when rank and stage are what they are. */
void places_set(struct places *places, struct place *place, enum places_rank rank, enum places_stage stage, uint64_t now_ns);
/* A request begins: what was asked before does not count against it. Its stage is IDLE, BUSY, KEEPING or UNREAD. */
void places_ask(struct places *places, struct place *place, uint64_t now_ns);
/* It holds no place any more. May be called again. */
void places_leave(struct places *places, struct place *place);

/* Whether a newcomer finds a place without another's going, where `max` may be held. */
bool places_have_room(const struct places *places, enum places_rank newcomer, uint32_t max);
/*
 * Returns the place that a newcomer may have instead; NULL: the newcomer is to be refused. With more places held than
 * `max`, which was lowered, only known clients find a place.
 */
struct place *places_find(const struct places *places, enum places_rank newcomer, uint32_t max, uint64_t now_ns);
/* Whether it has had the time that its stage allows, and has not used it. */
bool places_has_dallied(const struct place *place, uint64_t now_ns);

/* Whether all are taken, as far as strangers may have them: which is load whatever the CPU does. */
bool places_are_full(const struct places *places, uint32_t max);
/* Whether places are so scarce that a connection which leads to nothing is not to be kept. */
bool places_are_crowded(const struct places *places, uint32_t max);

/* Of those in a stage that are not valid, the lowest rank's oldest that is not `except`, which may be NULL; or NULL. */
struct place *places_oldest(const struct places *places, enum places_stage stage, const struct place *except);

#endif
