#include "stats/sketch.h"

#include <stdlib.h>

static struct bytes cut(struct bytes key) {
    return bytes_of(key.data, key.size < SKETCH_KEY_MAX ? key.size : SKETCH_KEY_MAX);
}

static struct sketch_entry *find(struct sketch_entry *entries, size_t count, struct bytes key) {
    for (size_t i = 0; i < count; i++) {
        if (bytes_equal(sketch_key(&entries[i]), key)) {
            return &entries[i];
        }
    }
    return NULL;
}

static struct sketch_entry *least(struct sketch *sketch) {
    struct sketch_entry *entry = &sketch->entries[0];
    for (uint32_t i = 1; i < sketch->used; i++) {
        if (sketch->entries[i].count < entry->count) {
            entry = &sketch->entries[i];
        }
    }
    return entry;
}

/* Returns how often a key that is not in the sketch can have come, at most. */
static uint64_t unseen(struct sketch *sketch) {
    return sketch->used < SKETCH_ENTRIES ? 0 : least(sketch)->count;
}

static void name(struct sketch_entry *entry, struct bytes key) {
    entry->size = (uint8_t)key.size;
    memcpy(entry->key, key.data, key.size);
}

void sketch_add(struct sketch *sketch, struct bytes key) {
    key = cut(key);
    if (key.size == 0) {
        return;
    }
    struct sketch_entry *entry = find(sketch->entries, sketch->used, key);
    if (entry == NULL && sketch->used < SKETCH_ENTRIES) {
        entry = &sketch->entries[sketch->used++];
        *entry = (struct sketch_entry){.count = 0};
        name(entry, key);
    } else if (entry == NULL) {
        entry = least(sketch);
        entry->error = entry->count;
        name(entry, key);
    }
    entry->count++;
}

static int more_first(const void *a, const void *b) {
    const struct sketch_entry *left = a, *right = b;
    return left->count < right->count ? 1 : left->count > right->count ? -1 : 0;
}

void sketch_merge(struct sketch *sketch, const struct sketch *other) {
    struct sketch theirs = *other;
    uint64_t unseen_here = unseen(sketch), unseen_there = unseen(&theirs);
    size_t count = sketch->used;
    struct sketch_entry all[2 * SKETCH_ENTRIES];
    memcpy(all, sketch->entries, sizeof sketch->entries);
    for (size_t i = 0; i < sketch->used; i++) {
        const struct sketch_entry *same = find(theirs.entries, theirs.used, sketch_key(&all[i]));
        all[i].count += same == NULL ? unseen_there : same->count;
        all[i].error += same == NULL ? unseen_there : same->error;
    }
    for (size_t i = 0; i < theirs.used; i++) {
        if (find(all, sketch->used, sketch_key(&theirs.entries[i])) == NULL) {
            all[count] = theirs.entries[i];
            all[count].count += unseen_here;
            all[count].error += unseen_here;
            count++;
        }
    }
    qsort(all, count, sizeof *all, more_first);
    sketch->used = count < SKETCH_ENTRIES ? (uint32_t)count : SKETCH_ENTRIES;
    memcpy(sketch->entries, all, sketch->used * sizeof *all);
}
