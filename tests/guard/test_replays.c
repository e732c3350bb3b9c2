#include "base/hash.h"
#include "guard/replays.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static uint64_t name_of(uint32_t number) {
    return replays_name(bytes_of((const uint8_t *)&number, sizeof number));
}

Test(replays, knows_what_was_used_and_nothing_else) {
    hash_init();
    struct replays *replays = calloc(1, sizeof *replays);
    cr_expect_not(replays_has(replays, name_of(1)));
    replays_note(replays, name_of(1));
    cr_expect(replays_has(replays, name_of(1)));
    cr_expect_not(replays_has(replays, name_of(2)));
    replays_note(replays, name_of(2));
    cr_expect(replays_has(replays, name_of(1)));
    cr_expect(replays_has(replays, name_of(2)));
    free(replays);
}

/* Of the newest half as many as there are entries, about 1 - e^-0.5 in each other's way: some 78% are left on average. */
Test(replays, keeps_most_of_the_newest) {
    hash_init();
    struct replays *replays = calloc(1, sizeof *replays);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < 1000000; i++) {
        replays_note(replays, name_of(i));
    }
    for (uint32_t i = 1000000 - REPLAYS_ENTRIES / 2; i < 1000000; i++) {
        kept += replays_has(replays, name_of(i));
    }
    cr_expect_gt(kept, REPLAYS_ENTRIES / 2 * 7 / 10, "%u", kept);
    cr_expect_lt(kept, REPLAYS_ENTRIES / 2 * 9 / 10, "%u", kept);
    for (uint32_t i = 1000000; i < 1100000; i++) {
        cr_assert_not(replays_has(replays, name_of(i)));
    }
    free(replays);
}
