/*
 * Which of the hellos that are there a shard takes up next, and which not at all: handshakes cost a hundred times what it
 * costs to ask for one, so under a flood the CPU must go to those who have shown something. Pure: the caller tells what
 * came, what it cost and how busy it was, and the clock; all times in nanoseconds of one clock that never goes back.
 *
 * Each handshake has two steps that cost: its hello, and the flight with the client's certificate. Both come here, so that
 * who hoards the one to fire the other at once gains nothing by it; of one class, what was begun goes first, and then a few
 * hellos of each source before further ones of any. Each has a class by what its client has shown so far, and classes go
 * strictly in order. While a shard keeps up (calm) that is all.
 * When it does not, all but the known have budgets of handshake CPU time, those with tickets too, which can be replayed:
 * what the others leave over, and a little in any case, less when it is flooded, so that nobody is shut out for good. What a
 * step costs beyond the budget is paid for by later ones of its class.
 *
 * Load is seen in three ways: all places for connections are taken, some hello waits for longer than a target during a whole
 * window (the standing queue of CoDel, RFC 8289), or the shard hardly ever rests. Falling back takes longer than rising, and
 * demand that was refused counts as load, since it would be back at once; but not for ever, since it may be cheap: after
 * five seconds with time to spare, then ten, and so on up to a minute, it is given a try.
 */
#ifndef GUARD_ADMISSION_H
#define GUARD_ADMISSION_H

#include "base/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum admission_class {
    ADMISSION_KNOWN,     /* its source had a valid certificate lately, or is on the allow list */
    ADMISSION_RETURNING, /* it has a ticket of ours */
    ADMISSION_UNKNOWN,
    ADMISSION_SUSPECT, /* its source has failed lately */
    ADMISSION_CLASSES,
};

enum admission_step {
    ADMISSION_FLIGHT, /* of a handshake that was begun */
    ADMISSION_HELLO,
    ADMISSION_FURTHER_HELLO, /* of a source that has others waiting: behind the first ones of other sources */
    ADMISSION_STEPS,
};

enum admission_state { ADMISSION_CALM, ADMISSION_LOADED, ADMISSION_FLOODED };

enum {
    ADMISSION_WINDOW_NS = 100 * 1000 * 1000, /* after which state and budgets are set anew */
    ADMISSION_TARGET_NS = 5 * 1000 * 1000,   /* of a wait */
    ADMISSION_FLOOD_NS = 50 * 1000 * 1000,   /* a standing wait of this is a flood */
    ADMISSION_SLICE_NS = 1000 * 1000,        /* of one turn: then events come first again */
    ADMISSION_QUEUES = ADMISSION_CLASSES * ADMISSION_STEPS,
    ADMISSION_CALM_WINDOWS = 10, /* without load, in a row, for each step back */
};

/* The caller's: one for each handshake that may wait. Zeroed before its first use. */
struct admission_entry {
    struct list link; /* in its queue, while it waits */
    uint64_t since_ns;
    uint8_t queue;
    bool waits;
};

struct admission_queue {
    struct list entries; /* the first has waited longest */
    uint32_t count;
};

/* What a class may spend, and has spent; in nanoseconds. */
struct admission_budget {
    int64_t left;
    uint64_t spent; /* in this window */
    uint32_t share; /* of the time, in thousandths; what `left` grows by */
};

struct admission {
    struct admission_queue queues[ADMISSION_QUEUES]; /* in the order in which they are served */
    struct admission_budget budgets[ADMISSION_CLASSES];
    enum admission_state state;
    uint32_t waiting; /* in all queues */
    uint32_t waiting_max;
    uint32_t pressed_windows;  /* with load, in a row */
    uint32_t relaxed_windows;  /* without load or demand that was refused, in a row */
    uint32_t rested_windows;   /* without load, whoever was refused, in a row */
    uint32_t calm_windows;     /* since it is calm */
    uint32_t patience_windows; /* rested ones that it takes to let in whom it refuses */
    uint64_t window_began_ns;
    uint64_t budgets_at_ns;                  /* up to when they have been filled */
    uint64_t standing_ns;                    /* the shortest that the oldest hello waited in it, looked at once a turn */
    uint64_t begun;                          /* hellos in this window */
    bool crowded;                            /* in this window */
    uint64_t refused;                        /* likewise */
    uint64_t handshake_ns;                   /* what one costs, a moving average */
    uint64_t estimates_ns[ADMISSION_QUEUES]; /* what one step of it costs, likewise, at least 1 */
    size_t charged_queue;                    /* of the step that is under way */
    uint64_t charged_ns;                     /* its estimate, which its class has been charged; 0: none is under way */
    uint64_t slice_began_ns;                 /* when this turn's first step was given; 0: none was */
    bool limited_begun;                      /* this turn has begun one of a class that has a budget */
};

/* `waiting_max`: handshakes that may wait at once, at least 1. */
void admission_init(struct admission *admission, uint32_t waiting_max, uint64_t now_ns);

/* A turn begins. True: a window is over, and admission_end_window is due. */
bool admission_turn(struct admission *admission, uint64_t now_ns);
/* `busy_ns`: time that the shard's thread has used the CPU, or waited for it, since the last window's end. */
void admission_end_window(struct admission *admission, uint64_t now_ns, uint64_t busy_ns);

/*
 * A step is there to be done. True: now, without a wait, and it counts as if admission_next had given it. Else it should be
 * given to admission_wait.
 */
bool admission_may_go(struct admission *admission, enum admission_class class, enum admission_step step, uint64_t now_ns);
/*
 * Has it wait its turn. The result is to be refused: NULL, the entry itself when nobody's place is worth less than its
 * own, or one that waits no longer, so that it could.
 */
struct admission_entry *admission_wait(struct admission *admission, struct admission_entry *entry,
                                       enum admission_class class, enum admission_step step, uint64_t now_ns);
/* Its client is gone, or whatever: it waits no longer. Nothing happens when it does not wait. */
void admission_forget(struct admission *admission, struct admission_entry *entry);

/* The next to go on, which waits no longer; NULL when this turn has no room for another. */
struct admission_entry *admission_next(struct admission *admission, uint64_t now_ns);
/* A hello that has waited too long to be of use to anybody, and waits no longer: to be refused. NULL: none. */
struct admission_entry *admission_next_expired(struct admission *admission, uint64_t now_ns);

/*
 * Charges the class for the step that was given last, which is of this class: the cost, in nanoseconds, takes the place of
 * the estimate that the class was charged when the step was given. A debt of the class stays a debt.
 */
void admission_spend(struct admission *admission, enum admission_class class, uint64_t spent_ns);
/* So many were turned away for the load, here or before there was a hello. */
void admission_refuse(struct admission *admission, uint32_t count);

/* Somebody had to make room for another: all places are taken, which is load whatever the CPU does. */
void admission_crowd(struct admission *admission);

/* How long the caller may sleep for all that admission cares: 0 while somebody may begin; milliseconds, UINT64_MAX: for
 * ever. */
uint64_t admission_sleep_ms(const struct admission *admission, uint64_t now_ns);

/* How many hellos of one source of this class may wait at once. */
uint32_t admission_waiting_of_source(const struct admission *admission, enum admission_class class);

#endif
