/*
 * Chains that were judged before, so that nobody's signatures are checked twice. One for the process, shared by all threads.
 * Only verdicts that cost a signature are kept, and those that are not `valid` in a small table of their own: however many
 * distinct bad chains come, they push out no good one.
 *
 * A chain is known by its SHA-256 within its policy (identity_policy.digest); an entry ends with the first date in its path.
 * A policy that changes is another policy: what was judged under the old one is never found again, and is evicted in time.
 */
#ifndef IDENTITY_CACHE_H
#define IDENTITY_CACHE_H

#include "identity/sieve.h"

enum {
    IDENTITY_CACHE_ENTRIES_MAX = SIEVE_ENTRIES_MAX,
    IDENTITY_CACHE_BAD_MAX = 4096, /* verdicts that are not valid */
};

struct identity_cache;

/* `entries`: valid identities at most, 1 to IDENTITY_CACHE_ENTRIES_MAX; see sieve_create. NULL when out of memory. */
struct identity_cache *identity_cache_create(uint32_t entries);
/* No other thread may be using it. NULL is allowed. */
void identity_cache_free(struct identity_cache *cache);

/*
 * SHA-256 over each certificate, leaf first, after its length in 4 bytes. So no other order or cut of the same bytes has the
 * same digest. Certificates are below 4 GiB.
 */
void identity_chain_digest(const struct bytes *chain, size_t count, uint8_t digest[static IDENTITY_DIGEST_SIZE]);

/* What was kept of the chain with that digest, with a reference for the caller; NULL when nothing that holds at `now` is. */
struct identity *identity_cache_find(struct identity_cache *cache, const struct identity_policy *policy,
                                     const uint8_t digest[static IDENTITY_DIGEST_SIZE], int64_t now);
/* Keeps it, if it is one to be kept: it has cost a signature. */
void identity_cache_insert(struct identity_cache *cache, const struct identity_policy *policy,
                           const uint8_t digest[static IDENTITY_DIGEST_SIZE], struct identity *identity);

/*
 * As identity_judge, but finds what was judged before; *cached tells which. The chain's digest is left in `digest`. A
 * verdict that is not valid is kept at once; one that is valid when its peer has proved that the certificate is its own,
 * which the caller tells by identity_cache_insert: else chains that anybody can copy, with something added, would fill the
 * table. Threads that miss on one chain at once each judge it; the last one's verdict stays. Chains that are empty or too
 * large are judged without the cache, since no signature is checked for them, and have a digest of zeros.
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

/* Each is exact as of some moment during the call, not all of the same one. Takes no lock. */
struct identity_cache_counts identity_cache_count(const struct identity_cache *cache);

#endif
