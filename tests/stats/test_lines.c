#include "stats/lines.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>

Test(lines, whole_and_zeroed) {
    for (size_t size = 1; size < 300; size += 7) {
        uint8_t *memory = lines_allocate(3, size);
        cr_assert_not_null(memory);
        cr_assert_eq((uintptr_t)memory % LINES_SIZE, 0);
        for (size_t i = 0; i < (3 * size + LINES_SIZE - 1) / LINES_SIZE * LINES_SIZE; i++) {
            cr_assert_eq(memory[i], 0);
        }
        free(memory);
    }
}

Test(lines, more_than_there_can_be_is_refused) {
    cr_assert_null(lines_allocate(SIZE_MAX / 2, 3));
    cr_assert_null(lines_allocate(1, SIZE_MAX - 10));
}
