#include "crypto/lanes_call.h"

#include <criterion/criterion.h>

Test(lanes_call, nothing_is_sound) {
    struct lanes_call call = {.sound = {false}};
    cr_assert(!lanes_call_begin(&call));
    for (size_t i = 0; i < LANES_MAX; i++) {
        cr_assert(!lanes_call_good(&call, 0, i));
    }
}

Test(lanes_call, lanes_repeat_the_first_sound_job) {
    struct lanes_call call = {.sound = {false, false, true, false, true}};
    cr_assert(lanes_call_begin(&call));
    for (size_t i = 0; i < LANES_MAX; i++) {
        cr_assert_eq(call.source[i], i == 4 ? 4 : 2, "%zu", i);
    }
}

Test(lanes_call, results_of_sound_jobs_without_a_fault) {
    struct lanes_call call = {.sound = {true, true, false, true, true, true, true, true}};
    cr_assert(lanes_call_begin(&call));
    for (size_t i = 0; i < LANES_MAX; i++) {
        /* Faults in the lanes 1 and 7. */
        cr_assert_eq(lanes_call_good(&call, 0x80000010, i), i != 1 && i != 2 && i != 7, "%zu", i);
    }
}
