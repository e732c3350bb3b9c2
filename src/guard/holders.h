/*
 * Valid certificates that have been shown lately, and how much each is used: so that a certificate that was stolen, or whose
 * device was taken over, gets no more of an overloaded server than one device can need. Nothing here changes a verdict.
 *
 * One table of a fixed size for the process, shared by all shards; the caller gives the clock. A certificate is known by a
 * keyed hash of its fingerprint. A certificate with open connections keeps its entry; of the others the one that was seen
 * longest ago makes room. When open connections hold a whole set, one more certificate is not tracked, and has no bounds.
 */
#ifndef GUARD_HOLDERS_H
#define GUARD_HOLDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HOLDERS_WAYS = 8,
    HOLDERS_ENTRY_SIZE = 40,          /* bytes */
    HOLDERS_BURST_S = 4,              /* a certificate may use its rate of so many seconds at once */
    HOLDERS_SOURCE_REFILL_MS = 30000, /* in this time one more source may become known by a certificate */
    HOLDERS_VOUCH_S = 600,            /* a certificate vouches for its source once in this time */
};

#define HOLDER_UNTRACKED UINT32_MAX

struct holders;

/* The limits of one certificate; 0 is no limit. */
struct holder_limits {
    uint32_t rate;        /* handshakes a second, in the long run, up to 100,000 */
    uint32_t connections; /* open at the same time, up to 65,535 */
    uint32_t sources;     /* that become known at once, up to 65,535; later one more in each HOLDERS_SOURCE_REFILL_MS */
};

/* The result of counting a handshake with a valid certificate. */
struct holder_worth {
    bool within_rate;
    bool within_connections;
    bool within_sources; /* also true when no new source becomes known */
    bool vouches;        /* the first handshake with the certificate's key for a while */
    bool rate_is_news;   /* the certificate is over its rate for the first time, as far as is known */
    bool sources_are_news;
    bool first; /* no other connection of this certificate is open, here or elsewhere */
};

/*
 * Makes a table of at least `entries` (1 to 2^26), HOLDERS_ENTRY_SIZE bytes each, backed by memory as they are first used.
 * NULL when out of memory.
 */
struct holders *holders_create(size_t entries);
/* NULL is allowed. */
void holders_free(struct holders *holders);

/*
 * Counts a client that has shown a valid certificate; `fingerprint` is the certificate's SHA-256. The result stands for the
 * certificate until holders_leave, which takes HOLDER_UNTRACKED too. `in_person`: the client has used the key, and not a
 * ticket, which does not vouch. `new_source`: its source is not known yet, and is to be. `now_ms` is of one clock for all
 * calls; callers may have read it a little earlier than others.
 */
uint32_t holders_arrive(struct holders *holders, const uint8_t fingerprint[static 32], const struct holder_limits *limits,
                        bool in_person, bool new_source, uint64_t now_ms, struct holder_worth *worth);
void holders_leave(struct holders *holders, uint32_t holder);

#endif
