/*
 * The cache of verdicts: signatures of a chain that was judged before are not checked again. One for the process, shared by
 * all threads. Only verdicts that cost a signature are kept. Verdicts that are not `valid` have a small table of their own:
 * however many distinct bad chains come, they push out no good one.
 *
 * A chain is known by its SHA-256 within its policy (identity_policy.digest); an entry ends with the first date in its path.
 * A policy that changes is another policy: verdicts under the old one are never found again, and are evicted in time.
 */
#ifndef IDENTITY_CACHE_H
#define IDENTITY_CACHE_H

#include "identity/sieve.h"

enum {
    IDENTITY_CACHE_ENTRIES_MAX = SIEVE_ENTRIES_MAX,
    IDENTITY_CACHE_BAD_MAX = 4096, /* verdicts that are not valid */
};

struct identity_cache;

/* Makes a cache of at most `entries` valid identities, 1 to IDENTITY_CACHE_ENTRIES_MAX; see sieve_create. NULL: no memory.
 */
struct identity_cache *identity_cache_create(uint32_t entries);
/* Frees the cache. No other thread may be using it. NULL is allowed. */
void identity_cache_free(struct identity_cache *cache);

/*
 * Writes the SHA-256 over the certificates, leaf first, each after its length in 4 bytes, so that no other order or cut of
 * the same bytes has the same digest. Certificates are below 4 GiB.
 */
void identity_chain_digest(const struct bytes *chain, size_t count, uint8_t digest[static IDENTITY_DIGEST_SIZE]);

/* Finds the identity of the chain with that digest, with a reference for the caller; NULL when none is there that holds now.
 */
struct identity *identity_cache_find(struct identity_cache *cache, const struct identity_policy *policy,
                                     const uint8_t digest[static IDENTITY_DIGEST_SIZE], int64_t now);
/* Keeps an identity, if it has cost a signature. */
void identity_cache_insert(struct identity_cache *cache, const struct identity_policy *policy,
                           const uint8_t digest[static IDENTITY_DIGEST_SIZE], struct identity *identity);

/*
 * Judges as identity_judge does, or finds the verdict of before; *cached tells which. The chain's digest is left in
 * `digest`. A verdict that is not valid is kept at once. A valid one is kept when the caller calls identity_cache_insert,
 * after the peer has proved that the certificate is its own: else chains that anybody can copy, with something added, would
 * fill the table. Threads that miss on one chain at once each judge it, and the last one's verdict stays. Chains that are
 * empty or too large are judged without the cache, since no signature is checked for them, and have a digest of zeros.
 */
struct identity *identity_cache_judge(struct identity_cache *cache, const struct identity_policy *policy,
                                      const struct bytes *chain, size_t count, bool too_large, int64_t now,
                                      uint8_t digest[static IDENTITY_DIGEST_SIZE], bool *cached);

struct identity_cache_counts {
    uint64_t hits;      /* of either table */
    uint64_t misses;    /* of both */
    uint64_t evictions; /* valid identities that made room for others */
    uint64_t entries;   /* valid identities there now */
    uint64_t bad;       /* others there now */
};

/* Counts. Each number is exact as of some moment during the call, not all of the same moment. Takes no lock. */
struct identity_cache_counts identity_cache_count(const struct identity_cache *cache);

#endif
