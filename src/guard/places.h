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
    PLACES_SUSPECT,   /* its source is a suspect, or its host answers it with 403 alone */
    PLACES_STRANGER,  /* nothing is known of it */
    PLACES_RETURNING, /* it has shown a ticket of this server, and is in its handshake */
    PLACES_KNOWN,     /* its source had a valid certificate lately, or is on the allow list */
    PLACES_VALID,     /* it has a valid certificate itself, and its handshake is complete */
    PLACES_RANKS,
};

enum places_stage {
    PLACES_NONE,     /* the connection holds no place, or closes so soon that its place counts as free */
    PLACES_SILENT,   /* it has sent nothing */
    PLACES_SPEAKING, /* its handshake is not complete */
    PLACES_HOLDING,  /* likewise, and bytes of the handshake are kept */
    PLACES_IDLE,     /* its handshake is complete, and it has no request */
    PLACES_BUSY,     /* from the first byte of a request until its answer has left */
    PLACES_KEEPING,  /* likewise, and a part of a request is kept */
    PLACES_UNREAD,   /* likewise, and the client does not take its answer */
    PLACES_ENDING,   /* it is over, but for bytes that are still to be sent, and the client's close */
    PLACES_GOING,    /* likewise, and its place is given away already */
    PLACES_STAGES,
};

enum {
    PLACES_SILENT_MS = 250,  /* time for a client's first bytes, before a stranger may have its place */
    PLACES_EARLY_MS = 1000,  /* the same for its handshake */
    PLACES_ENDING_MS = 1000, /* the same for the end of its connection */
    PLACES_BUSY_MS = 30000,  /* the same for a stranger's request with its answer */
    PLACES_RESERVE = 64,     /* one in so many places is for known clients alone */
    PLACES_CROWDED = 8,      /* places are scarce when at most one in so many is free */
    PLACES_GOING_MAX = 16,   /* connections in GOING that may take their time */
};

/* An entry of the caller's, one for each connection. Zeroed before its first use; only these functions change it. */
struct place {
    struct place *newer;
    struct place *older;
    uint64_t since_ns;
    uint8_t rank;  /* enum places_rank */
    uint8_t stage; /* enum places_stage */
};

/* Places in the order in which they came to the queue. */
struct places_queue {
    struct place *newest;
    struct place *oldest;
};

/* Zeroed, it is empty. */
struct places {
    struct places_queue queues[PLACES_VALID][PLACES_STAGES]; /* places of valid clients are in no queue */
    uint32_t held;                                           /* places in stages other than NONE and GOING */
    uint32_t strangers;                                      /* those of them with ranks below KNOWN */
    uint32_t going;
};

/* Sets rank and stage of a place, when its connection comes, goes on or has shown more. Nothing happens without a change. */
void places_set(struct places *places, struct place *place, enum places_rank rank, enum places_stage stage, uint64_t now_ns);
/*
 * Begins a request: its time in the stage counts from now, not from the request before. The place's stage is IDLE, BUSY,
 * KEEPING or UNREAD.
 */
void places_ask(struct places *places, struct place *place, uint64_t now_ns);
/* Gives the place up. May be called again. */
void places_leave(struct places *places, struct place *place);

/* Returns whether a newcomer finds a free place, when `max` places may be held. */
bool places_have_room(const struct places *places, enum places_rank newcomer, uint32_t max);
/*
 * Returns the place that is to be given to a newcomer when none is free; NULL: refuse the newcomer. With more places held
 * than `max`, which was lowered, only known clients find a place.
 */
struct place *places_find(const struct places *places, enum places_rank newcomer, uint32_t max, uint64_t now_ns);
/* Returns whether the place has been in its stage for longer than the stage allows. */
bool places_is_overdue(const struct place *place, uint64_t now_ns);

/* Returns whether all places that strangers may have are taken: this is load whatever the CPU does. */
bool places_are_full(const struct places *places, uint32_t max);
/* Returns whether places are so scarce that a connection without use should not be kept. */
bool places_are_crowded(const struct places *places, uint32_t max);

/*
 * Returns the oldest place of the lowest rank in a stage, valid clients and `except`, which may be NULL, left out. NULL when
 * there is none.
 */
struct place *places_oldest(const struct places *places, enum places_stage stage, const struct place *except);

#endif
