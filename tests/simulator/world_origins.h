/*
 * The origins behind the hosts of a world: their connections, the addresses that names stand for, and what health checks
 * find. Addresses come and go, and checks change their mind, at any moment; what the shard makes of that is checked.
 */
#ifndef TESTS_SIMULATOR_WORLD_ORIGINS_H
#define TESTS_SIMULATOR_WORLD_ORIGINS_H

#include "origin.h"
#include "relay/health_board.h"
#include "world_config.h"

enum {
    WORLD_ORIGINS_MAX = 256,
    WORLD_SPEECHES = 16,
    WORLD_NUMBERS = 10, /* last bytes of addresses */
    WORLD_FAULTS = 32,  /* enum relay_fault */
};

struct world;

/* Things that all connections to one address have in common. */
struct world_place {
    uint32_t misdeeds; /* enum origin_misdeed, in this run */
    struct health_entry *health;
};

struct world_behind {
    struct origin origins[WORLD_ORIGINS_MAX];
    struct world_place places[WORLD_SPEECHES][TALK_HOSTS][WORLD_NUMBERS];
    struct health_board *board;
    unsigned number;               /* of the newest configuration */
    uint64_t connects;             /* that the shard has begun */
    uint64_t exchanges;            /* likewise, less those that came to nothing at once */
    uint64_t not_begun;            /* the latter */
    uint64_t faults[WORLD_FAULTS]; /* that were reported, by enum relay_fault */
    uint64_t changes;              /* of names, that the shard has taken over */
    uint64_t flips;                /* of health */
    struct origin_counts counts;
    uint64_t unhealthy_asked; /* connects to an origin whose checks fail */
    uint64_t backup_asked;
};

void world_origins_begin(struct world *world);
void world_origins_end(struct world *world);
/* A configuration has been posted: its names stand for what they did when it was loaded. */
void world_origins_reload(struct world *world, unsigned number);

/* Connections of the shard come to their origins. */
void world_take_connects(struct world *world);
/* Has a name stand for other addresses: bit I of `addresses`, which is not 0, for world_address(..., I + 1). */
void world_change_name(struct world *world, enum talk_host host, unsigned addresses);
/* Has the health checks of an address fail, or succeed again. */
void world_flip_health(struct world *world, enum talk_host host, unsigned number, bool down);
/* Changes some of it, as the seed has it. */
void world_change_origins(struct world *world);

/* Each stops the test when something does not hold. Whenever the shard waits: its relays add up... */
void world_expect_relays(struct world *world);
/* ... and at the end what was counted is what has happened. */
void world_expect_exchanges_counted(const struct world *world);

#endif
