#include "identity/chain_log.h"

#include "base/check.h"
#include "base/hash.h"
#include "x509/sha256.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    CACHE_LINE = 64,
    STRIPES = 16,
    UNIT = 8,               /* bytes; places in a ring are counted in units */
    BUCKET_UNITS = 512 / 8, /* of the ring for each bucket: about one record of a short chain */
    NONE = UINT32_MAX,
};

#define SIZE_MAX_TOTAL ((size_t)16 << 30)

/* The head before each chain. */
struct record {
    uint8_t digest[IDENTITY_DIGEST_SIZE];
    uint32_t size;    /* bytes of the chain; 0: the rest of the ring is skipped */
    uint32_t units;   /* from this record to the next */
    uint32_t bucket;  /* in which it is chained */
    uint32_t chained; /* the next older one of its bucket */
};
_Static_assert(sizeof(struct record) % UNIT == 0, "records lie side by side");

/*
 * Between `tail` and `head`, both counted on for ever and taken modulo the ring, lie the records, oldest first. Within a
 * bucket the newest comes first, so that the record at the tail is the last of its bucket.
 */
struct stripe {
    _Alignas(CACHE_LINE) pthread_mutex_t lock; /* of all that follows */
    uint8_t *ring;
    uint32_t *buckets;
    uint32_t bucket_mask;
    uint32_t units;
    uint64_t head;
    uint64_t tail;
};

struct chain_log {
    struct stripe stripes[STRIPES];
    uint8_t *rings;
    uint32_t *buckets;
};

static struct record *record_at(const struct stripe *stripe, uint32_t place) {
    return (struct record *)(void *)(stripe->ring + (size_t)place * UNIT);
}

static uint32_t place_of(const struct stripe *stripe, uint64_t position) {
    return (uint32_t)(position % stripe->units);
}

static struct stripe *stripe_of(struct chain_log *log, uint64_t hash) {
    return &log->stripes[(hash >> 32) % STRIPES];
}

static uint32_t find(const struct stripe *stripe, uint64_t hash, const uint8_t *digest) {
    uint32_t place = stripe->buckets[(uint32_t)hash & stripe->bucket_mask];
    while (place != NONE && memcmp(record_at(stripe, place)->digest, digest, IDENTITY_DIGEST_SIZE) != 0) {
        place = record_at(stripe, place)->chained;
    }
    return place;
}

static void unchain(struct stripe *stripe, uint32_t place) {
    uint32_t *link = &stripe->buckets[record_at(stripe, place)->bucket];
    while (*link != place) {
        CHECK(*link != NONE);
        link = &record_at(stripe, *link)->chained;
    }
    *link = record_at(stripe, place)->chained;
}

static void drop_oldest(struct stripe *stripe) {
    uint32_t place = place_of(stripe, stripe->tail);
    const struct record *record = record_at(stripe, place);
    CHECK(stripe->tail < stripe->head && record->units > 0);
    if (record->size > 0) {
        unchain(stripe, place);
    }
    stripe->tail += record->units;
}

/* Drops the oldest records until there is room for `units` more. */
static void make_room(struct stripe *stripe, uint32_t units) {
    while (stripe->units - (stripe->head - stripe->tail) < units) {
        drop_oldest(stripe);
    }
}

/* Skips the end of the ring where a record of `units` does not fit in one piece. */
static void skip_end(struct stripe *stripe, uint32_t units) {
    uint32_t left = stripe->units - place_of(stripe, stripe->head);
    if (left >= units) {
        return;
    }
    make_room(stripe, left);
    /* The end may be too short for a whole record: of a record that skips only `size` and `units` are read. */
    struct record *record = record_at(stripe, place_of(stripe, stripe->head));
    record->size = 0;
    record->units = left;
    stripe->head += left;
}

static void append(struct stripe *stripe, uint64_t hash, const uint8_t *digest, struct bytes front, struct bytes back) {
    size_t size = front.size + back.size;
    uint32_t units = (uint32_t)((sizeof(struct record) + size + UNIT - 1) / UNIT);
    skip_end(stripe, units);
    make_room(stripe, units);
    uint32_t place = place_of(stripe, stripe->head);
    uint32_t bucket = (uint32_t)hash & stripe->bucket_mask;
    struct record *record = record_at(stripe, place);
    *record = (struct record){
        .size = (uint32_t)size,
        .units = units,
        .bucket = bucket,
        .chained = stripe->buckets[bucket],
    };
    memcpy(record->digest, digest, IDENTITY_DIGEST_SIZE);
    uint8_t *content = (uint8_t *)(record + 1);
    memcpy(content, front.data, front.size);
    if (back.size > 0) {
        memcpy(content + front.size, back.data, back.size);
    }
    stripe->buckets[bucket] = place;
    stripe->head += units;
}

struct chain_log *chain_log_create(size_t size) {
    CHECK(size >= CHAIN_LOG_SIZE_MIN && size <= SIZE_MAX_TOTAL);
    uint32_t units = (uint32_t)(size / STRIPES / UNIT);
    uint32_t buckets = 1;
    while (buckets < units / BUCKET_UNITS) {
        buckets *= 2;
    }
    struct chain_log *log = aligned_alloc(CACHE_LINE, sizeof *log);
    /* One record more for each: the last unit of a ring may begin a record that only skips. */
    size_t ring_size = (size_t)units * UNIT + sizeof(struct record);
    uint8_t *rings = malloc(STRIPES * ring_size);
    uint32_t *bucket_memory = malloc((size_t)STRIPES * buckets * sizeof(uint32_t));
    if (log == NULL || rings == NULL || bucket_memory == NULL) {
        free(bucket_memory);
        free(rings);
        free(log);
        return NULL;
    }
    memset(bucket_memory, 0xff, (size_t)STRIPES * buckets * sizeof(uint32_t)); /* NONE */
    log->rings = rings;
    log->buckets = bucket_memory;
    for (size_t i = 0; i < STRIPES; i++) {
        log->stripes[i] = (struct stripe){
            .ring = rings + i * ring_size,
            .buckets = bucket_memory + i * buckets,
            .bucket_mask = buckets - 1,
            .units = units,
        };
        CHECK(pthread_mutex_init(&log->stripes[i].lock, NULL) == 0);
    }
    return log;
}

void chain_log_free(struct chain_log *log) {
    if (log == NULL) {
        return;
    }
    for (size_t i = 0; i < STRIPES; i++) {
        CHECK(pthread_mutex_destroy(&log->stripes[i].lock) == 0);
    }
    free(log->buckets);
    free(log->rings);
    free(log);
}

/* Returns the units by which the ring has moved on since the record at `place` was written. */
static uint64_t age_of(const struct stripe *stripe, uint32_t place) {
    uint32_t head = place_of(stripe, stripe->head);
    return head > place ? head - place : (uint64_t)head + stripe->units - place;
}

/* Keeps a record of two parts, which need not be put together first. */
static void put(struct chain_log *log, const uint8_t *digest, struct bytes front, struct bytes back) {
    uint64_t hash = hash_bytes(digest, IDENTITY_DIGEST_SIZE);
    struct stripe *stripe = stripe_of(log, hash);
    size_t size = front.size + back.size;
    if (size > (size_t)stripe->units * UNIT / CHAIN_LOG_PART - sizeof(struct record)) {
        return;
    }
    pthread_mutex_lock(&stripe->lock);
    uint32_t place = find(stripe, hash, digest);
    if (place == NONE || age_of(stripe, place) > stripe->units / 2) {
        append(stripe, hash, digest, front, back);
    }
    pthread_mutex_unlock(&stripe->lock);
}

/* Returns the size of a record, or 0 when it is not there. Copies from `offset` on as much as there is room for. */
static size_t get(struct chain_log *log, const uint8_t *digest, size_t offset, void *out, size_t capacity) {
    uint64_t hash = hash_bytes(digest, IDENTITY_DIGEST_SIZE);
    struct stripe *stripe = stripe_of(log, hash);
    pthread_mutex_lock(&stripe->lock);
    uint32_t place = find(stripe, hash, digest);
    size_t size = place == NONE ? 0 : record_at(stripe, place)->size;
    if (size > offset && capacity > 0) {
        const uint8_t *content = (const uint8_t *)(record_at(stripe, place) + 1);
        memcpy(out, content + offset, size - offset < capacity ? size - offset : capacity);
    }
    pthread_mutex_unlock(&stripe->lock);
    return size;
}

/* The beginning of a leaf's record: the digest by which the rest is found, and the sizes. */
struct link {
    uint8_t rest[IDENTITY_DIGEST_SIZE];
    uint32_t rest_size;
    uint32_t leaf_size;
};

/* Hashes with a prefix, so that no rest can be taken for a leaf. */
static void digest_rest(struct bytes rest, uint8_t digest[static IDENTITY_DIGEST_SIZE]) {
    static const uint8_t prefix[] = "rest of a chain";
    struct sha256 hash;
    sha256_begin(&hash);
    sha256_add(&hash, prefix, sizeof prefix);
    sha256_add(&hash, rest.data, rest.size);
    sha256_end(&hash, digest);
}

/* Tells whether a record is there and among the younger half. Copies its link, if it is a leaf's, unless `link` is NULL. */
static bool is_young(struct chain_log *log, const uint8_t *digest, struct link *link) {
    uint64_t hash = hash_bytes(digest, IDENTITY_DIGEST_SIZE);
    struct stripe *stripe = stripe_of(log, hash);
    pthread_mutex_lock(&stripe->lock);
    uint32_t place = find(stripe, hash, digest);
    bool young = place != NONE && age_of(stripe, place) <= stripe->units / 2;
    if (young && link != NULL) {
        memcpy(link, record_at(stripe, place) + 1, sizeof *link);
    }
    pthread_mutex_unlock(&stripe->lock);
    return young;
}

/* Tells whether nothing is to be written for the chain. This is so at most visits, and spares the hash of the rest. */
static bool is_chain_young(struct chain_log *log, const uint8_t *digest) {
    struct link link;
    return is_young(log, digest, &link) && (link.rest_size == 0 || is_young(log, link.rest, NULL));
}

void chain_log_put(struct chain_log *log, const uint8_t digest[static IDENTITY_DIGEST_SIZE], struct bytes leaf,
                   struct bytes rest) {
    struct link link = {.rest_size = (uint32_t)rest.size, .leaf_size = (uint32_t)leaf.size};
    CHECK(leaf.size > 0 && leaf.size <= UINT32_MAX && rest.size <= UINT32_MAX);
    if (is_chain_young(log, digest)) {
        return;
    }
    if (rest.size > 0) {
        digest_rest(rest, link.rest);
        put(log, link.rest, rest, bytes_of(NULL, 0));
    }
    put(log, digest, bytes_of(&link, sizeof link), leaf);
}

size_t chain_log_get(struct chain_log *log, const uint8_t digest[static IDENTITY_DIGEST_SIZE], void *out, size_t capacity) {
    struct link link;
    if (get(log, digest, 0, &link, sizeof link) == 0) {
        return 0;
    }
    size_t size = (size_t)link.leaf_size + link.rest_size;
    bool fits = size <= capacity;
    uint8_t *leaf = fits ? out : NULL;
    uint8_t *rest = fits ? leaf + link.leaf_size : NULL;
    /* A digest stands for one content: a record that has gone and come back meanwhile is the same. */
    bool whole = get(log, digest, sizeof link, leaf, fits ? link.leaf_size : 0) == sizeof link + link.leaf_size &&
                 (link.rest_size == 0 || get(log, link.rest, 0, rest, fits ? link.rest_size : 0) == link.rest_size);
    return whole ? size : 0;
}
