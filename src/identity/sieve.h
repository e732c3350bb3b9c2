/*
 * A table of identities by key, of fixed size, for all threads at once: stripes with a lock each. When a stripe is full,
 * SIEVE (Zhang et al., NSDI '24) chooses the entry that goes; a hit sets one bit and moves nothing. After creation the table
 * allocates nothing. Every call but create and free is safe from any thread.
 */
#ifndef IDENTITY_SIEVE_H
#define IDENTITY_SIEVE_H

#include "identity/identity.h"

enum {
    SIEVE_ENTRIES_MAX = 1 << 24,
    SIEVE_ENTRY_BYTES = 4096, /* of identities for each entry, in the mean: where they are larger, fewer are kept */
    SIEVE_KEY_SIZE = IDENTITY_DIGEST_SIZE + 8, /* bytes; compared whole */
};

struct sieve;

/*
 * Makes a table with all of its memory, 68 to 72 bytes for each entry, backed as entries are first used. `entries` is 1 to
 * SIEVE_ENTRIES_MAX. hash_init must have been called. NULL when out of memory.
 */
struct sieve *sieve_create(uint32_t entries);
/* Frees the table and its references to identities. No other thread may be using it. NULL is allowed. */
void sieve_free(struct sieve *sieve);

/*
 * Finds an identity, with a reference for the caller, or NULL. An identity that does not hold at `now` (seconds since the
 * epoch) is not found, and is dropped: the chain may have another path than the one that it was judged by.
 */
struct identity *sieve_find(struct sieve *sieve, const uint8_t key[static SIEVE_KEY_SIZE], int64_t now);
/*
 * Keeps an identity, with a reference of its own, in place of the one that the key had before. An identity that is larger
 * than a stripe may hold is not kept: see SIEVE_ENTRY_BYTES.
 */
void sieve_insert(struct sieve *sieve, const uint8_t key[static SIEVE_KEY_SIZE], struct identity *identity);

struct sieve_counts {
    uint64_t hits;
    uint64_t misses;    /* finds that gave NULL */
    uint64_t evictions; /* identities that made room for others; not those replaced or dropped */
    uint64_t entries;   /* there now */
};

/* Counts. Each number is exact as of some moment during the call, not all of the same moment. Takes no lock. */
struct sieve_counts sieve_count(const struct sieve *sieve);

#endif
