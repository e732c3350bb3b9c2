#include "stats/sketch.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static void add(struct sketch *sketch, unsigned number, unsigned times) {
    char key[32];
    int size = snprintf(key, sizeof key, "CN=%u", number);
    for (unsigned i = 0; i < times; i++) {
        sketch_add(sketch, bytes_of(key, (size_t)size));
    }
}

static const struct sketch_entry *entry_of(const struct sketch *sketch, unsigned number) {
    char key[32];
    int size = snprintf(key, sizeof key, "CN=%u", number);
    for (uint32_t i = 0; i < sketch->used; i++) {
        if (bytes_equal(sketch_key(&sketch->entries[i]), bytes_of(key, (size_t)size))) {
            return &sketch->entries[i];
        }
    }
    return NULL;
}

Test(sketch, few_are_counted_exactly) {
    struct sketch sketch = {0};
    for (unsigned i = 0; i < SKETCH_ENTRIES; i++) {
        add(&sketch, i, i + 1);
    }
    for (unsigned i = 0; i < SKETCH_ENTRIES; i++) {
        cr_assert_eq(entry_of(&sketch, i)->count, i + 1);
        cr_assert_eq(entry_of(&sketch, i)->error, 0);
    }
}

/* The paper promises: a key with more than one in 32 is in the sketch, no count is too low, and none is too high by more
 * than its error. */
Test(sketch, the_frequent_stay_among_a_hundred_thousand_others) {
    static struct sketch sketch;
    unsigned often = 0;
    srand(7);
    for (unsigned i = 0; i < 100000; i++) {
        add(&sketch, 1000 + i, 1);
        if (i % 10 == 0) {
            add(&sketch, 1, 1);
            often++;
        }
    }
    const struct sketch_entry *entry = entry_of(&sketch, 1);
    cr_assert_not_null(entry);
    cr_expect_geq(entry->count, often);
    cr_expect_leq(entry->count - entry->error, often);
    cr_expect_eq(sketch.used, SKETCH_ENTRIES);
}

Test(sketch, merged_ones_have_seen_what_both_have) {
    static struct sketch a, b;
    add(&a, 1, 10);
    add(&b, 1, 5);
    add(&b, 2, 50);
    sketch_merge(&a, &b);
    cr_assert_eq(a.used, 2);
    cr_expect_eq(entry_of(&a, 1)->count, 15);
    cr_expect_eq(entry_of(&a, 2)->count, 50);
    cr_expect_eq(&a.entries[0], entry_of(&a, 2), "the most frequent first");
}

Test(sketch, a_merge_of_full_ones_is_bounded_and_no_count_is_too_low) {
    static struct sketch a, b;
    unsigned truth[200] = {0};
    for (unsigned i = 0; i < 200; i++) {
        unsigned times = 1 + i * i / 100;
        add(i % 2 == 0 ? &a : &b, i, times);
        add(&a, 199, 3);
        truth[i] += times;
        truth[199] += 3;
    }
    sketch_merge(&a, &b);
    cr_assert_eq(a.used, SKETCH_ENTRIES);
    for (unsigned i = 0; i < 200; i++) {
        const struct sketch_entry *entry = entry_of(&a, i);
        if (entry != NULL) {
            cr_expect_geq(entry->count, truth[i], "%u", i);
            cr_expect_leq(entry->count - entry->error, truth[i], "%u", i);
        }
    }
    cr_expect_not_null(entry_of(&a, 199));
}

Test(sketch, long_keys_are_cut_and_empty_ones_are_nothing) {
    struct sketch sketch = {0};
    char key[SKETCH_KEY_MAX + 10];
    memset(key, 'x', sizeof key);
    sketch_add(&sketch, bytes_of(key, sizeof key));
    sketch_add(&sketch, bytes_of(key, SKETCH_KEY_MAX));
    sketch_add(&sketch, bytes_of(key, 0));
    cr_assert_eq(sketch.used, 1);
    cr_expect_eq(sketch.entries[0].count, 2);
    cr_expect_eq(sketch.entries[0].size, SKETCH_KEY_MAX);
}
