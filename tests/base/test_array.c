#include "base/array.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>

Test(array, keeps_its_items_as_it_grows) {
    uint64_t *items = NULL;
    for (size_t i = 0; i < 5000; i++) {
        cr_assert(array_reserve(&items, i, sizeof *items));
        items[i] = i * i;
    }
    for (size_t i = 0; i < 5000; i++) {
        cr_assert_eq(items[i], i * i);
    }
    free(items);
}

Test(array, has_room_after_items_were_taken_off_its_end) {
    char **items = NULL;
    size_t count = 0;
    for (; count < 9; count++) {
        cr_assert(array_reserve(&items, count, sizeof *items));
        items[count] = NULL;
    }
    for (count = 3; count < 20; count++) {
        cr_assert(array_reserve(&items, count, sizeof *items));
        items[count] = NULL;
    }
    free(items);
}

Test(array, is_as_it_was_when_there_is_no_memory) {
    char *items = malloc(1);
    char *before = items;
    cr_assert_not(array_reserve(&items, (size_t)1 << 62, 16));
    cr_assert_not(array_reserve(&items, (size_t)1 << 63, 1));
    cr_assert_eq(items, before);
    free(items);
}
