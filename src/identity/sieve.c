#include "identity/sieve.h"

#include "base/check.h"
#include "base/hash.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    CACHE_LINE = 64,
    STRIPES_MAX = 64,
    STRIPE_ENTRIES_MIN = 64, /* stripes much smaller fill unevenly: some evict while others have room */
    NONE = 0,                /* entries are numbered from 1, so that zeroed buckets are empty */
};

/* An entry has a cache line of its own: a hit touches this line, the bucket before it and the identity behind it. */
struct entry {
    _Alignas(CACHE_LINE) uint8_t key[SIEVE_KEY_SIZE];
    struct identity *identity;
    uint32_t chained; /* the next one of its bucket; of a free entry: the next free one */
    uint32_t newer;
    uint32_t older;
    bool visited; /* it was found since the hand last passed */
};
_Static_assert(sizeof(struct entry) == CACHE_LINE, "see sieve.h for the bytes of an entry");

/* A number that is written only with the stripe's lock held, and read without. */
typedef _Atomic uint64_t counter;

struct stripe {
    _Alignas(CACHE_LINE) pthread_mutex_t lock; /* of all that follows */
    struct entry *entries;
    uint32_t *buckets;
    uint32_t bucket_mask;
    uint32_t capacity;
    uint32_t touched; /* entries ever used; those above are not yet backed by memory */
    uint32_t free;    /* the most recently freed entry */
    uint32_t newest;
    uint32_t oldest;
    size_t bytes; /* of the identities */
    size_t bytes_max;
    uint32_t hand; /* where SIEVE goes on; NONE: at the oldest */
    counter hits;
    counter misses;
    counter evictions;
    counter count;
};

struct sieve {
    struct stripe stripes[STRIPES_MAX];
    uint32_t stripe_mask;
    struct entry *entries; /* of all stripes */
    uint32_t *buckets;     /* likewise */
};

static void counter_add(counter *value, uint64_t more) {
    atomic_store_explicit(value, atomic_load_explicit(value, memory_order_relaxed) + more, memory_order_relaxed);
}

static uint64_t counter_read(const counter *value) {
    return atomic_load_explicit(value, memory_order_relaxed);
}

static struct entry *entry_at(const struct stripe *stripe, uint32_t number) {
    return &stripe->entries[number - 1];
}

static struct stripe *stripe_of(struct sieve *sieve, uint64_t hash) {
    return &sieve->stripes[(hash >> 32) & sieve->stripe_mask];
}

/* Stripes use the hash's upper half, buckets its lower one. */
static uint32_t *bucket_of(const struct stripe *stripe, uint64_t hash) {
    return &stripe->buckets[(uint32_t)hash & stripe->bucket_mask];
}

static uint32_t lookup(const struct stripe *stripe, uint64_t hash, const uint8_t *key) {
    uint32_t number = *bucket_of(stripe, hash);
    while (number != NONE && memcmp(entry_at(stripe, number)->key, key, SIEVE_KEY_SIZE) != 0) {
        number = entry_at(stripe, number)->chained;
    }
    return number;
}

static void unchain(struct stripe *stripe, uint32_t number) {
    const struct entry *entry = entry_at(stripe, number);
    uint32_t *link = bucket_of(stripe, hash_bytes(entry->key, sizeof entry->key));
    while (*link != number) {
        CHECK(*link != NONE);
        link = &entry_at(stripe, *link)->chained;
    }
    *link = entry->chained;
}

/* Frees the entry; its reference to the identity becomes the caller's. */
static struct identity *remove_entry(struct stripe *stripe, uint32_t number) {
    unchain(stripe, number);
    struct entry *entry = entry_at(stripe, number);
    if (stripe->hand == number) {
        stripe->hand = entry->newer;
    }
    *(entry->newer != NONE ? &entry_at(stripe, entry->newer)->older : &stripe->newest) = entry->older;
    *(entry->older != NONE ? &entry_at(stripe, entry->older)->newer : &stripe->oldest) = entry->newer;
    entry->chained = stripe->free;
    stripe->free = number;
    counter_add(&stripe->count, (uint64_t)-1);
    struct identity *identity = entry->identity;
    stripe->bytes -= identity->size;
    entry->identity = NULL;
    return identity;
}

/* Goes from the hand towards the newest, and round, and removes the first entry that was not found since the last round. */
static struct identity *evict(struct stripe *stripe) {
    uint32_t number = stripe->hand != NONE ? stripe->hand : stripe->oldest;
    CHECK(number != NONE);
    while (entry_at(stripe, number)->visited) {
        entry_at(stripe, number)->visited = false;
        number = entry_at(stripe, number)->newer;
        number = number != NONE ? number : stripe->oldest;
    }
    stripe->hand = number; /* remove_entry moves the hand on to the next newer entry */
    counter_add(&stripe->evictions, 1);
    return remove_entry(stripe, number);
}

/* Takes a free entry. There is one: sieve_insert has made room. */
static uint32_t take_entry(struct stripe *stripe) {
    uint32_t number = stripe->free;
    if (number != NONE) {
        stripe->free = entry_at(stripe, number)->chained;
        return number;
    }
    CHECK(stripe->touched < stripe->capacity);
    return ++stripe->touched;
}

static void add_entry(struct stripe *stripe, uint64_t hash, const uint8_t *key, struct identity *identity) {
    uint32_t number = take_entry(stripe);
    struct entry *entry = entry_at(stripe, number);
    uint32_t *bucket = bucket_of(stripe, hash);
    *entry = (struct entry){.identity = identity, .chained = *bucket, .newer = NONE, .older = stripe->newest};
    memcpy(entry->key, key, sizeof entry->key);
    stripe->bytes += identity->size;
    *bucket = number;
    *(stripe->newest != NONE ? &entry_at(stripe, stripe->newest)->newer : &stripe->oldest) = number;
    stripe->newest = number;
    counter_add(&stripe->count, 1);
}

/* Returns the least power of two that is not below the number of entries. */
static uint32_t bucket_count(uint32_t capacity) {
    uint32_t count = 1;
    while (count < capacity) {
        count *= 2;
    }
    return count;
}

static void stripe_init(struct stripe *stripe, struct entry *entries, uint32_t *buckets, uint32_t capacity) {
    *stripe = (struct stripe){
        .entries = entries,
        .buckets = buckets,
        .bucket_mask = bucket_count(capacity) - 1,
        .capacity = capacity,
        .bytes_max = (size_t)capacity * SIEVE_ENTRY_BYTES,
    };
    CHECK(pthread_mutex_init(&stripe->lock, NULL) == 0);
}

struct sieve *sieve_create(uint32_t entries) {
    CHECK(entries >= 1 && entries <= SIEVE_ENTRIES_MAX);
    uint32_t stripes = STRIPES_MAX;
    while (stripes > 1 && entries / stripes < STRIPE_ENTRIES_MIN) {
        stripes /= 2;
    }
    /* The first `larger` stripes hold one entry more than the others, so that all of them hold `entries`. */
    uint32_t smallest = entries / stripes;
    uint32_t larger = entries % stripes;
    uint32_t buckets = bucket_count(smallest + (larger > 0));

    struct sieve *sieve = aligned_alloc(CACHE_LINE, sizeof(struct sieve));
    struct entry *entry_memory = aligned_alloc(CACHE_LINE, (size_t)entries * sizeof(struct entry));
    uint32_t *bucket_memory = calloc((size_t)stripes * buckets, sizeof(uint32_t));
    if (sieve == NULL || entry_memory == NULL || bucket_memory == NULL) {
        free(bucket_memory);
        free(entry_memory);
        free(sieve);
        return NULL;
    }
    sieve->stripe_mask = stripes - 1;
    sieve->entries = entry_memory;
    sieve->buckets = bucket_memory;
    for (uint32_t i = 0; i < stripes; i++) {
        uint32_t capacity = smallest + (i < larger);
        stripe_init(&sieve->stripes[i], entry_memory, bucket_memory, capacity);
        entry_memory += capacity;
        bucket_memory += buckets;
    }
    return sieve;
}

void sieve_free(struct sieve *sieve) {
    if (sieve == NULL) {
        return;
    }
    for (uint32_t i = 0; i <= sieve->stripe_mask; i++) {
        struct stripe *stripe = &sieve->stripes[i];
        while (stripe->oldest != NONE) {
            identity_release(remove_entry(stripe, stripe->oldest));
        }
        CHECK(pthread_mutex_destroy(&stripe->lock) == 0);
    }
    free(sieve->buckets);
    free(sieve->entries);
    free(sieve);
}

struct identity *sieve_find(struct sieve *sieve, const uint8_t key[static SIEVE_KEY_SIZE], int64_t now) {
    uint64_t hash = hash_bytes(key, SIEVE_KEY_SIZE);
    struct stripe *stripe = stripe_of(sieve, hash);
    struct identity *found = NULL;
    struct identity *dropped = NULL;
    pthread_mutex_lock(&stripe->lock);
    uint32_t number = lookup(stripe, hash, key);
    if (number != NONE) {
        struct entry *entry = entry_at(stripe, number);
        if (now >= entry->identity->valid_from && now <= entry->identity->valid_until) {
            entry->visited = true;
            found = identity_retain(entry->identity);
        } else {
            dropped = remove_entry(stripe, number);
        }
    }
    counter_add(found != NULL ? &stripe->hits : &stripe->misses, 1);
    pthread_mutex_unlock(&stripe->lock);
    identity_release(dropped);
    return found;
}

/* Evicts entries until there is room for one more identity of `size` bytes, which is no larger than the stripe may hold. */
static void make_room(struct stripe *stripe, size_t size) {
    while (counter_read(&stripe->count) == stripe->capacity || stripe->bytes + size > stripe->bytes_max) {
        identity_release(evict(stripe));
    }
}

void sieve_insert(struct sieve *sieve, const uint8_t key[static SIEVE_KEY_SIZE], struct identity *identity) {
    uint64_t hash = hash_bytes(key, SIEVE_KEY_SIZE);
    struct stripe *stripe = stripe_of(sieve, hash);
    if (identity->size > stripe->bytes_max) {
        return;
    }
    identity_retain(identity);
    pthread_mutex_lock(&stripe->lock);
    uint32_t number = lookup(stripe, hash, key);
    if (number != NONE) {
        identity_release(remove_entry(stripe, number));
    }
    make_room(stripe, identity->size);
    add_entry(stripe, hash, key, identity);
    pthread_mutex_unlock(&stripe->lock);
}

struct sieve_counts sieve_count(const struct sieve *sieve) {
    struct sieve_counts counts = {0};
    for (uint32_t i = 0; i <= sieve->stripe_mask; i++) {
        const struct stripe *stripe = &sieve->stripes[i];
        counts.hits += counter_read(&stripe->hits);
        counts.misses += counter_read(&stripe->misses);
        counts.evictions += counter_read(&stripe->evictions);
        counts.entries += counter_read(&stripe->count);
    }
    return counts;
}
