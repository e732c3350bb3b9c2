/*
 * Valid certificates that have been shown lately, and how much use is made of each: so that one which was stolen, or whose
 * device was taken over, buys no more of a server in trouble than a device can need. Nothing here changes a verdict.
 *
 * One table of a fixed size for the process, shared by all shards; clocks are given. A certificate is known by a keyed hash
 * of its fingerprint; one with open connections keeps its entry, and of the others the one that was seen longest ago makes
 * room. When a whole set is held by open connections, one more certificate is not tracked: nothing here bounds it.
 */
#ifndef GUARD_HOLDERS_H
#define GUARD_HOLDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HOLDERS_WAYS = 8,
    HOLDERS_ENTRY_SIZE = 40,          /* bytes */
    HOLDERS_BURST_S = 4,              /* of its rate, that a certificate may use at once */
    HOLDERS_SOURCE_REFILL_MS = 30000, /* after which one more source may become known by it */
    HOLDERS_VOUCH_S = 600,            /* between two times that it vouches for where it is */
};

#define HOLDER_UNTRACKED UINT32_MAX

struct holders;

/* The limits of one certificate; 0 is no limit. */
struct holder_limits {
    uint32_t rate;        /* handshakes a second, in the long run, up to 100,000 */
    uint32_t connections; /* open at the same time, up to 65,535 */
    uint32_t sources;     /* that become known by it at once, up to 65,535; later one in HOLDERS_SOURCE_REFILL_MS */
};

/* The worth of a handshake. */
struct holder_worth {
    bool within_rate;
    bool within_connections;
    bool within_sources; /* true where it makes no new source known */
    bool vouches;        /* it is the first in person of this certificate for a while */
    bool rate_is_news;   /* it is over its rate for the first time, as far as is known */
    bool sources_are_news;
    bool first; /* no other connection of this certificate is open, here or elsewhere */
};

/* At least `entries` (1 to 2^26), HOLDERS_ENTRY_SIZE bytes each, backed by memory as they are first used. NULL when out of
 * memory. */
struct holders *holders_create(size_t entries);
/* NULL is allowed. */
void holders_free(struct holders *holders);

/*
 * A client has shown that it holds a valid certificate; `fingerprint` is its SHA-256. The result stands for it until
 * holders_leave; HOLDER_UNTRACKED may be given to that too. `in_person`: by its key, and not by a ticket, which does not
 * vouch. `new_source`: its source is not known yet, and shall be. `now_ms` is of one clock for all calls; callers may have
 * read it a little before others did.
 */
uint32_t holders_arrive(struct holders *holders, const uint8_t fingerprint[static 32], const struct holder_limits *limits,
                        bool in_person, bool new_source, uint64_t now_ms, struct holder_worth *worth);
void holders_leave(struct holders *holders, uint32_t holder);

#endif
