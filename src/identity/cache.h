/*
 * Chains that were judged valid before, so that nobody's signatures are checked twice. One for the process, shared by all
 * threads, in stripes with a lock each. Within a stripe SIEVE (Zhang et al., NSDI '24) says what goes when it is full: a hit
 * sets one bit and moves nothing. After creation it allocates nothing. Every call but create and free is safe from any
 * thread at once; identities are released outside the locks.
 */
#ifndef IDENTITY_CACHE_H
#define IDENTITY_CACHE_H

#include "identity/identity.h"

enum {
    IDENTITY_CACHE_ENTRIES_MAX = 1 << 24,
    IDENTITY_CACHE_KEY_SIZE = 32, /* SHA-256 */
};

struct identity_cache;

/*
 * All of its memory, 68 to 72 bytes for each entry, backed only as entries are first used. `entries` from 1 to
 * IDENTITY_CACHE_ENTRIES_MAX. hash_init must have been called. NULL when out of memory.
 */
struct identity_cache *identity_cache_create(uint32_t entries);
/* Gives back its references to the identities. No other thread may be using it. NULL is allowed. */
void identity_cache_free(struct identity_cache *cache);
/*
 * Gives back every entry. Policies are told apart by address, so this must be called when the last thread has let go of a
 * policy and before its memory can be that of another: else the new one would be answered with the old one's verdicts.
 */
void identity_cache_clear(struct identity_cache *cache);

/*
 * SHA-256 over the policy's address and each certificate, leaf first, after its length in 4 bytes. So neither another host
 * nor another order or cut of the same bytes has the same key. Certificates are below 4 GiB.
 */
void identity_cache_key(const struct identity_policy *policy, const struct bytes *chain, size_t count,
                        uint8_t key[static IDENTITY_CACHE_KEY_SIZE]);

/*
 * The identity, with a reference for the caller, or NULL. One that does not hold at `now` (seconds since the epoch) is not
 * found, and is dropped: the path that it was judged by may not be the only one.
 */
struct identity *identity_cache_find(struct identity_cache *cache, const uint8_t key[static IDENTITY_CACHE_KEY_SIZE],
                                     int64_t now);
/*
 * Takes a reference of its own, in place of what the key had before. Only what is STATUS_VALID enters; for all others
 * nothing happens, so that a flood of bad certificates pushes nothing out.
 */
void identity_cache_insert(struct identity_cache *cache, const uint8_t key[static IDENTITY_CACHE_KEY_SIZE],
                           struct identity *identity);

/*
 * As identity_judge, but finds what was judged before. Threads that miss on one chain at once each judge it; the last one's
 * verdict stays. Chains that are empty or too large are judged without the cache: no signature is checked for them.
 */
struct identity *identity_cache_judge(struct identity_cache *cache, const struct identity_policy *policy,
                                      const struct bytes *chain, size_t count, bool too_large, int64_t now);

struct identity_cache_counts {
    uint64_t hits;
    uint64_t misses;    /* finds that gave NULL */
    uint64_t evictions; /* valid identities that made room for others; not those replaced, dropped or cleared */
    uint64_t entries;   /* there now */
};

/* Each is exact as of some moment during the call, not all of the same one. Takes no lock. */
struct identity_cache_counts identity_cache_count(const struct identity_cache *cache);

#endif
