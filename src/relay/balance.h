/*
 * The choice among the origins of a host. Its members are origins, as far as the choice is concerned; they are on levels,
 * and on each in groups, of which the caller decides which is asked first, and which member belongs where. Pure: the caller
 * gives the time.
 *
 * CONFIG_ROUND_ROBIN: smooth weighted round robin. In any stretch of choices each member has its part by weight, spread as
 * evenly as can be. This is stride scheduling (Waldspurger and Weihl 1995): the member with the lowest `pass` goes, and pays
 * the inverse of its weight for that. O(log n) for n members of the group.
 *
 * CONFIG_LEAST_CONNECTIONS: the lowest ratio of exchanges in flight to weight; among equal ones by turn. O(log n).
 *
 * CONFIG_HASH: rendezvous hashing (Thaler and Ravishankar 1998), weighted as -w / ln(h) (Schindelhauer and Schomaker 2005).
 * Each client has an order of its own of all members, and gets the first: a member that goes, or comes, moves its own
 * clients alone. O(n).
 */
#ifndef RELAY_BALANCE_H
#define RELAY_BALANCE_H

#include "config/config.h"

enum {
    BALANCE_GROUPS = 4, /* of each level */
    BALANCE_ONE = 256,  /* the share of a member of weight 1 */
    BALANCE_WHOLE_MAX = 1 << 26,
    BALANCE_MEMBERS_MAX = 4096,
    BALANCE_TRIES_MAX = 64, /* members that one exchange may try */
};

struct balance_level;

struct balance_member {
    uint64_t digest;             /* names the origin, the same in each process; for CONFIG_HASH */
    uint64_t pass;               /* when its turn comes: compared modulo 2^64 */
    uint64_t ramp_ms;            /* when its ramp began; meaningful while `ramps` */
    struct balance_level *level; /* that it is on */
    uint32_t whole;              /* its share when it does not ramp, 1 to BALANCE_WHOLE_MAX */
    uint32_t share;              /* as of now */
    uint32_t in_flight;
    uint16_t index; /* no two of a balance have the same */
    uint16_t place; /* in its group */
    uint8_t group;
    bool ramps;
};

/* The members of one rank. It is there as long as it has any. */
struct balance_level {
    uint32_t rank;
    uint32_t members;
    uint32_t capacity;                              /* of each group */
    uint32_t counts[BALANCE_GROUPS];                /* members of each */
    struct balance_member **groups[BALANCE_GROUPS]; /* each a heap, with the next to be chosen first */
};

struct balance {
    struct balance_member **all;   /* by index; NULL: no member has it */
    struct balance_level **levels; /* by rank */
    uint32_t level_count;
    uint32_t level_capacity;
    uint32_t totals[BALANCE_GROUPS]; /* members of a group on all levels */
    uint32_t members;
    uint32_t capacity;
    uint32_t next;    /* index to give next: none is given again soon, since an exchange may have tried it */
    uint32_t ramping; /* members that ramp */
    uint32_t ramp_ms; /* how long they do */
    uint64_t pass;    /* of the last choice by turn */
    enum config_balance kind;
    uint32_t whole; /* of the first member; 0: there was none yet */
    bool uneven;    /* members have different shares, or had */
};

/* Members that are not to be chosen, by index. All 0 at first. */
struct balance_tried {
    uint16_t count;
    uint16_t members[BALANCE_TRIES_MAX];
};

/* `ramp_ms`: how long it takes a member that comes back to reach its full weight; 0: no time. */
void balance_init(struct balance *balance, enum config_balance kind, uint32_t ramp_ms);
/* Frees what the balance has allocated, not its members. */
void balance_free(struct balance *balance);

/*
 * Adds a member, whose digest and whole share are set, and all else 0, to the level of this rank. 0, -ENOMEM, or -ENOSPC
 * beyond BALANCE_MEMBERS_MAX.
 */
int balance_add(struct balance *balance, struct balance_member *member, uint32_t rank, uint8_t group);
/* Has a member be of another rank, or have another share. 0, or -ENOMEM with nothing changed. */
int balance_change(struct balance *balance, struct balance_member *member, uint32_t rank, uint32_t whole);
void balance_remove(struct balance *balance, struct balance_member *member);
void balance_move(struct balance *balance, struct balance_member *member, uint8_t group);
/* Has a member begin with a small part of its weight, which grows to all of it: balance_grow sees to that. */
void balance_ramp(struct balance *balance, struct balance_member *member, uint64_t now_ms);
/* Sets the parts of members that ramp. To be called some ten times a second while balance->ramping is not 0. */
void balance_grow(struct balance *balance, uint64_t now_ms);

/* Counts an exchange in flight, or one less. */
void balance_enter(struct balance *balance, struct balance_member *member);
void balance_leave(struct balance *balance, struct balance_member *member);

/*
 * Returns the member of a level's group to choose, of those that were not `tried`, or NULL. `client` is 64 bits of a hash of
 * the client, for CONFIG_HASH.
 */
struct balance_member *balance_choose(struct balance *balance, const struct balance_level *level, unsigned group,
                                      const struct balance_tried *tried, uint64_t client);

/* Returns the first member of the group by turn and load that was not `tried`, or NULL. The turn does not pass on. */
struct balance_member *balance_first(const struct balance *balance, const struct balance_level *level, unsigned group,
                                     const struct balance_tried *tried);

bool balance_was_tried(const struct balance_tried *tried, const struct balance_member *member);
/* Notes that a member was tried. False: there were as many as may be, and the exchange is to try no more. */
bool balance_note_tried(struct balance_tried *tried, const struct balance_member *member);

#endif
