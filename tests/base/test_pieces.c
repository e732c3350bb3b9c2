#include "base/pieces.h"

#include <criterion/criterion.h>
#include <string.h>

Test(pieces, every_size_has_room_for_all_of_it) {
    struct pieces pieces;
    cr_assert_eq(pieces_create(&pieces, 4), 0);
    for (size_t size = 1; size <= PIECES_SIZE_MAX; size = size * 3 / 2 + 1) {
        uint8_t *one = pieces_take(&pieces, size);
        uint8_t *other = pieces_take(&pieces, size);
        cr_assert(one != NULL && other != NULL && one != other, "%zu bytes", size);
        memset(one, 1, size);
        memset(other, 2, size);
        cr_assert(one[0] == 1 && one[size - 1] == 1, "%zu bytes", size);
        cr_assert_eq(pieces_in_use(&pieces), 2);
        pieces_give(&pieces, one, size);
        pieces_give(&pieces, other, size);
    }
    uint8_t *largest = pieces_take(&pieces, PIECES_SIZE_MAX);
    memset(largest, 3, PIECES_SIZE_MAX);
    pieces_give(&pieces, largest, PIECES_SIZE_MAX);
    cr_assert_eq(pieces_in_use(&pieces), 0);
    pieces_destroy(&pieces);
}

Test(pieces, the_limit_holds_for_each_class) {
    struct pieces pieces;
    cr_assert_eq(pieces_create(&pieces, 2), 0);
    void *first = pieces_take(&pieces, 1);
    void *second = pieces_take(&pieces, PIECES_SIZE_MIN);
    cr_assert(first != NULL && second != NULL);
    cr_assert_null(pieces_take(&pieces, PIECES_SIZE_MIN));
    void *larger = pieces_take(&pieces, PIECES_SIZE_MIN + 1);
    cr_assert_not_null(larger, "another class");
    pieces_give(&pieces, first, 1);
    cr_assert_eq(pieces_take(&pieces, 200), first);
    pieces_destroy(&pieces);
}
