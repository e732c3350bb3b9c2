#include "base/hash.h"
#include "heap.h"
#include "path/serials.h"
#include "support.h"

TestSuite(serials, .init = hash_init);

static bool holds(const struct serials *serials, struct bytes serial) {
    struct serials_entry entry;
    return serials_find(serials, serial, &entry) && bytes_equal(entry.serial, serial);
}

Test(serials, of_nothing_finds_nothing) {
    struct serials *serials = serials_create(0, 0);
    cr_assert(serials != NULL && serials_count(serials) == 0);
    cr_assert(!holds(serials, SUPPORT_BYTES("\0")));
    serials_free(serials);
    serials_free(NULL);
}

Test(serials, tells_equal_values_of_other_octets_apart) {
    struct serials *serials = serials_create(3, 6);
    const struct bytes listed[] = {SUPPORT_BYTES("\xff"), SUPPORT_BYTES("\0\xff"), SUPPORT_BYTES("\x01\0\0")};
    for (size_t i = 0; i < 3; i++) {
        serials_add(serials, &(struct serials_entry){listed[i], 0, 0});
    }
    for (size_t i = 0; i < 3; i++) {
        cr_expect(holds(serials, listed[i]));
    }
    const struct bytes others[] = {SUPPORT_BYTES("\0"), SUPPORT_BYTES("\x01"), SUPPORT_BYTES("\x01\0"),
                                   SUPPORT_BYTES("\xff\xff")};
    for (size_t i = 0; i < 4; i++) {
        cr_expect(!holds(serials, others[i]));
    }
    serials_free(serials);
}

Test(serials, keeps_date_and_reason) {
    const int64_t dates[] = {0, 1, -1, -INT64_C(62167219200), INT64_C(253402300799)};
    struct serials *serials = serials_create(5, 5);
    for (uint8_t i = 0; i < 5; i++) {
        serials_add(serials, &(struct serials_entry){bytes_of(&i, 1), dates[i], (uint8_t)(i + 1)});
    }
    for (uint8_t i = 0; i < 5; i++) {
        struct serials_entry entry;
        cr_assert(serials_find(serials, bytes_of(&i, 1), &entry));
        cr_expect(entry.date == dates[i] && entry.reason == i + 1, "%lld", (long long)entry.date);
    }
    serials_free(serials);
}

Test(serials, keeps_the_first_of_equal_ones) {
    struct serials *serials = serials_create(2, 2);
    struct serials_entry entry = {SUPPORT_BYTES("\x05"), 1, 6};
    serials_add(serials, &entry);
    entry = (struct serials_entry){SUPPORT_BYTES("\x05"), 2, 1};
    serials_add(serials, &entry);
    cr_assert_eq(serials_count(serials), 1);
    cr_assert(serials_find(serials, SUPPORT_BYTES("\x05"), &entry) && entry.date == 1 && entry.reason == 6);
    serials_free(serials);
}

Test(serials, finds_each_of_many_and_no_other) {
    enum { COUNT = 50000 };
    size_t before = heap_bytes();
    struct serials *serials = serials_create(COUNT, 4 * COUNT);
    cr_assert_leq(heap_bytes() - before, 20 * COUNT + 256);
    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t serial = 2 * i;
        serials_add(serials, &(struct serials_entry){bytes_of(&serial, 4), i, 0});
    }
    cr_assert_eq(serials_count(serials), COUNT);
    for (uint32_t i = 0; i < 2 * COUNT; i++) {
        struct serials_entry entry;
        bool found = serials_find(serials, bytes_of(&i, 4), &entry);
        cr_assert(found == (i % 2 == 0) && (!found || entry.date == i / 2), "%u", i);
    }
    serials_free(serials);
}

Test(serials, refuses_more_than_its_references_reach) {
    cr_assert(serials_create((size_t)1 << 32, 1) == NULL);
    cr_assert(serials_create((size_t)1 << 30, (size_t)1 << 31) == NULL);
}
