/*
 * The most frequent keys of a stream, in fixed memory however long the stream is: the space-saving sketch (Metwally,
 * Agrawal, El Abbadi, "Efficient computation of frequent and top-k elements in data streams", 2005). A key that comes more
 * often than one in SKETCH_ENTRIES times is in it; a count may be too high, by `error` at most, and is never too low.
 */
#ifndef STATS_SKETCH_H
#define STATS_SKETCH_H

#include "base/bytes.h"

enum {
    SKETCH_ENTRIES = 32,
    SKETCH_KEY_MAX = 128, /* bytes; of a longer one its beginning */
};

struct sketch_entry {
    uint64_t count;
    uint64_t error;
    uint8_t size;
    uint8_t key[SKETCH_KEY_MAX];
};

/* Zeroed before its first use. Of one thread at a time. */
struct sketch {
    struct sketch_entry entries[SKETCH_ENTRIES];
    uint32_t used;
};

/* Counts one more of that key. An empty key is not counted. */
void sketch_add(struct sketch *sketch, struct bytes key);
/* Adds `other` to `sketch`, the most frequent first (Agarwal et al., "Mergeable summaries", 2012). */
void sketch_merge(struct sketch *sketch, const struct sketch *other);

static inline struct bytes sketch_key(const struct sketch_entry *entry) {
    return bytes_of(entry->key, entry->size);
}

#endif
