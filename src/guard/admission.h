/*
 * Decides which hello a shard takes next, and which hellos it refuses: a handshake costs the server a hundred times what it
 * costs a client to ask for one, so under a flood the CPU must go to clients that have shown something. Pure: the caller
 * says what came, what it cost and how busy the thread was, and gives the clock; all times are in nanoseconds of one clock
 * that never goes back.
 *
 * Each handshake has two steps that cost: its hello, and the flight with the client's certificate. Both are decided here, so
 * that a client gains nothing by holding back flights and sending many at once. Each handshake has a class by what its
 * client has shown so far, and classes go strictly in order. Within a class flights go first, then a few hellos of each
 * source, then further hellos of any source. While a shard keeps up (calm) that is all. When it does not keep up, every
 * class but the known has a budget of handshake CPU time; clients with tickets have one too, because a ticket can be
 * replayed. The budget is the time that other classes leave over, and a little in any case (less when the shard is flooded),
 * so that no class is shut out for good. A step that costs more than the budget is paid for by later steps of its class.
 *
 * Steps that are done together cost less than one by one (crypto/batch). So a class with a budget does not begin a step as
 * soon as the budget covers one: it begins a group when the budget covers the steps that wait by then, up to a full batch.
 * A step that waits alone is a group by itself. A turn has one group, of flights or of hellos, and by their estimates it
 * takes no longer than ADMISSION_SLICE_NS, so that the events of known clients wait for so long at most. A budget is
 * overdrawn by what one group costs beyond its estimates, and that is paid back. When a group has cost more than twice the
 * slice, its steps go one by one for a while: then one step is all that a client can surprise with.
 *
 * Load is seen in three ways: all places for connections are taken; some hello waits for longer than a target during a whole
 * window (the standing queue of CoDel, RFC 8289); or the shard is hardly ever idle. The state falls more slowly than it
 * rises. Refused demand counts as load, since it would return at once; but not for ever, since it may be cheap: after five
 * seconds with time to spare, then ten, and so on up to a minute, it is given a try.
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
    ADMISSION_FURTHER_HELLO, /* of a source that has other hellos waiting: behind the first hellos of other sources */
    ADMISSION_STEPS,
};

enum admission_state { ADMISSION_CALM, ADMISSION_LOADED, ADMISSION_FLOODED };

enum {
    ADMISSION_WINDOW_NS = 100 * 1000 * 1000, /* state and budgets are set anew after each window */
    ADMISSION_TARGET_NS = 5 * 1000 * 1000,   /* a longer wait that stands is load */
    ADMISSION_FLOOD_NS = 50 * 1000 * 1000,   /* a longer wait that stands is a flood */
    ADMISSION_SLICE_NS = 1000 * 1000,        /* of steps in one turn: then other events come first again */
    ADMISSION_QUEUES = ADMISSION_CLASSES * ADMISSION_STEPS,
    ADMISSION_CALM_WINDOWS = 10, /* windows without load, in a row, for each state back */
    ADMISSION_GROUP_MAX = 8,     /* steps of a group: one batch */
    ADMISSION_GROUP_TRUST = 512, /* cheap groups, in a row, after which groups may be twice as large again */
};

/* An entry of the caller's, one for each handshake that may wait. Zeroed before its first use. */
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

/* The time that a class may spend, and has spent; in nanoseconds. */
struct admission_budget {
    int64_t left;
    uint64_t spent; /* in this window */
    uint32_t share; /* of the time, in thousandths: `left` grows by it */
};

/* The estimate by which a class was charged for a step. */
struct admission_charge {
    uint64_t ns; /* 0: it was charged nothing */
    uint8_t queue;
};

struct admission {
    struct admission_queue queues[ADMISSION_QUEUES]; /* in the order in which they are served */
    struct admission_budget budgets[ADMISSION_CLASSES];
    enum admission_state state;
    uint32_t waiting; /* in all queues */
    uint32_t waiting_max;
    uint32_t pressed_windows;  /* windows in a row with load */
    uint32_t relaxed_windows;  /* windows in a row without load, and without much refused demand */
    uint32_t rested_windows;   /* windows in a row without load, however much was refused */
    uint32_t calm_windows;     /* windows since the state is calm */
    uint32_t patience_windows; /* rested windows after which refused clients are given a try */
    uint64_t window_began_ns;
    uint64_t budgets_at_ns;                  /* the time up to which the budgets are filled */
    uint64_t standing_ns;                    /* shortest wait of the oldest entry in this window, read once a turn */
    uint64_t begun;                          /* hellos in this window */
    bool crowded;                            /* a connection had to make room for another in this window */
    uint64_t refused;                        /* connections and hellos turned away in this window */
    uint64_t handshake_ns;                   /* the cost of a handshake, a moving average */
    uint64_t estimates_ns[ADMISSION_QUEUES]; /* the cost of a step of each queue, likewise; at least 1 */
    size_t charged_queue;                    /* the queue of the step that is under way */
    uint64_t charged_ns;                     /* the estimate that its class was charged; 0: no step is under way */
    uint64_t slice_began_ns;                 /* when this turn's first step was given; 0: no step was */
    uint32_t group_most;                     /* steps of which a group is worth it: 1 to ADMISSION_GROUP_MAX */
    uint32_t group_max;                      /* steps that a group may have at present: 1 to group_most */
    uint32_t cheap_groups;                   /* in a row */
    uint32_t group_steps;                    /* of this turn's group, so far; 0: it has none */
    size_t group_queue;                      /* of its first step */
    uint64_t group_spent_ns;                 /* by classes that have a budget, in this turn */
};

/* `waiting_max`: handshakes that may wait at once, at least 1. Limited classes begin steps one by one. */
void admission_init(struct admission *admission, uint32_t waiting_max, uint64_t now_ns);
/* Has limited classes begin steps in groups, since up to `most` of them cost less together: 1 to ADMISSION_GROUP_MAX. */
void admission_begin_groups(struct admission *admission, uint32_t most);

/* Begins a turn. True: a window is over, and admission_end_window is due. */
bool admission_turn(struct admission *admission, uint64_t now_ns);
/* Ends a window. `busy_ns`: time in which the shard's thread used the CPU, or waited for it, since the last window's end. */
void admission_end_window(struct admission *admission, uint64_t now_ns, uint64_t busy_ns);

/*
 * Returns whether a step may be done at once, without a wait; then it counts as if admission_next had given it. If not, give
 * its entry to admission_wait.
 */
bool admission_may_go(struct admission *admission, enum admission_class class, enum admission_step step, uint64_t now_ns);
/*
 * Puts the entry in its queue. Returns the entry that the caller must refuse: NULL, this entry itself when no entry in the
 * queues is worth less, or another that was taken out to make room.
 */
struct admission_entry *admission_wait(struct admission *admission, struct admission_entry *entry,
                                       enum admission_class class, enum admission_step step, uint64_t now_ns);
/* Takes the entry out of its queue, when its client is gone. Nothing happens when it does not wait. */
void admission_forget(struct admission *admission, struct admission_entry *entry);

/* Takes out and returns the entry whose step is next; NULL when this turn has no room for another step. */
struct admission_entry *admission_next(struct admission *admission, uint64_t now_ns);
/* Takes out and returns a hello to refuse, which has waited so long that its client has given up. NULL: there is none. */
struct admission_entry *admission_next_expired(struct admission *admission, uint64_t now_ns);

/*
 * Charges the class for the step that was given last, which is of this class: the cost, in nanoseconds, replaces the
 * estimate that the class was charged when the step was given. A debt of the class stays a debt.
 */
void admission_spend(struct admission *admission, enum admission_class class, uint64_t spent_ns);
/*
 * Puts the step off that was given last: its class stays charged by the estimate, other steps may be given, and when it is
 * taken up again admission_spend follows for it.
 */
struct admission_charge admission_put_off(struct admission *admission);
void admission_take_up(struct admission *admission, struct admission_charge charge);
/*
 * Ends the turn's group, if it has one: all its steps are charged. `used_ns`: CPU time of the thread since before its first
 * step. A step that cost more by the clock did not work for all of the time.
 */
void admission_end_group(struct admission *admission, uint64_t used_ns);
/* Counts connections and hellos that were turned away for the load. */
void admission_refuse(struct admission *admission, uint32_t count);

/* Notes that a connection had to make room for another: all places are taken, which is load whatever the CPU does. */
void admission_crowd(struct admission *admission);

/* Returns for how long the caller may sleep, in milliseconds: 0 while a step may begin; UINT64_MAX: nothing waits. */
uint64_t admission_sleep_ms(const struct admission *admission, uint64_t now_ns);

/* Returns how many hellos of one source of this class may wait at once. */
uint32_t admission_waiting_of_source(const struct admission *admission, enum admission_class class);

#endif
