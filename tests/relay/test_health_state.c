#include "relay/health_state.h"

#include <criterion/criterion.h>
#include <string.h>

/* Each result, '+' or '-', is followed by the state that it leads to, 'u' or 'd', in capitals where it has changed. */
static void expect(uint32_t rise, uint32_t fall, const char *story) {
    struct health_state state = {0};

    for (size_t i = 0; story[i] != '\0'; i += 2) {
        bool changed = health_state_note(&state, story[i] == '+', rise, fall);
        char now = state.down ? 'd' : 'u';

        cr_assert_eq(changed ? now - 32 : now, story[i + 1], "%u %u %s at %zu", rise, fall, story, i);
    }
}

Test(health_state, an_origin_falls_with_the_last_of_its_failures_in_a_row) {
    expect(2, 3, "-u-u-D-d-d");
    expect(2, 1, "-D-d");
    expect(1, 2, "+u-u-D");
}

Test(health_state, a_good_probe_between_begins_the_count_anew) {
    expect(2, 3, "-u-u+u-u-u+u-u-u-D");
    expect(3, 1, "-D+d+d-d+d+d+U");
}

Test(health_state, an_origin_rises_with_the_last_of_its_good_probes_in_a_row) {
    expect(2, 3, "-u-u-D+d+U+u-u-u-D");
    expect(1, 1, "+u-D+U-D+U");
}

Test(health_state, one_that_flaps_stays_as_it_is) {
    expect(2, 2, "-u+u-u+u-u-D+d-d+d-d");
}
