#include "relay/origin.h"

#include <criterion/criterion.h>

static struct config_origin configured[2];
static const struct config_host configured_host = {.origins = configured, .origin_count = 2};
static struct relay_host host;
static struct relay_origin origins[CONFIG_ORIGIN_ADDRESSES_MAX];
static struct relay_origin *list[CONFIG_ORIGIN_ADDRESSES_MAX];

/* The first is of the first origin of the configuration, all others are of the second one. */
static void begin(uint32_t count) {
    host = (struct relay_host){.origins = list, .count = count, .configured = &configured_host};
    for (uint32_t i = 0; i < count; i++) {
        origins[i] = (struct relay_origin){.host = &host, .configured = &configured[i > 0], .bit = UINT64_C(1) << i};
        list[i] = &origins[i];
    }
}

static int choose(uint64_t tried, uint64_t now_ms) {
    struct relay_origin *origin = origin_choose(&host, tried, now_ms);

    return origin == NULL ? -1 : (int)(origin - origins);
}

Test(origin, takes_turns) {
    begin(3);
    for (int i = 0; i < 9; i++) {
        cr_assert_eq(choose(0, 100), i % 3);
    }
}

Test(origin, one_address_is_always_chosen_until_tried) {
    begin(1);
    cr_assert_eq(choose(0, 100), 0);
    origin_mark_down(&origins[0], 100, 1000);
    cr_assert_eq(choose(0, 101), 0);
    cr_assert_eq(choose(1, 101), -1);
}

Test(origin, passes_over_what_is_down_and_shares_the_rest_evenly) {
    begin(3);
    int times[3] = {0};

    origin_mark_down(&origins[1], 100, 1000);
    for (int i = 0; i < 10; i++) {
        times[choose(0, 500)]++;
    }
    cr_assert_eq(times[0], 5);
    cr_assert_eq(times[1], 0);
    cr_assert_eq(times[2], 5);
}

Test(origin, is_tried_again_when_its_time_is_over) {
    begin(2);
    origin_mark_down(&origins[0], 100, 1000);
    cr_assert_eq(choose(0, 1099), 1);
    cr_assert_eq(choose(0, 1100), 0);
}

Test(origin, all_down_are_tried_each_once) {
    begin(4);
    uint64_t tried = 0;

    for (int i = 0; i < 4; i++) {
        origin_mark_down(&origins[i], 100, 1000);
    }
    for (int i = 0; i < 4; i++) {
        int index = choose(tried, 200);

        cr_assert_geq(index, 0);
        cr_assert_eq(tried >> index & 1, 0);
        tried |= UINT64_C(1) << index;
    }
    cr_assert_eq(choose(tried, 200), -1);
}

Test(origin, the_last_of_the_largest_number_is_reached) {
    begin(CONFIG_ORIGIN_ADDRESSES_MAX);
    cr_assert_eq(choose(UINT64_MAX >> 1, 100), 63);
    cr_assert_eq(choose(UINT64_MAX, 100), -1);
    cr_assert_eq(choose(0, 100), 0);
}

Test(origin, tells_each_outage_once) {
    begin(1);
    cr_assert(origin_mark_down(&origins[0], 100, 1000));
    cr_assert_not(origin_mark_down(&origins[0], 500, 1000));
    cr_assert(origin_mark_down(&origins[0], 1500, 1000));
    cr_assert(origin_mark_up(&origins[0]));
    cr_assert_not(origin_mark_up(&origins[0]));
}

/* An origin of the configuration is down when all its addresses are; another's do not count. */
Test(origin, tells_which_origins_are_down) {
    _Atomic uint64_t down = UINT64_MAX;

    begin(3);
    origin_mark_down(&origins[1], 100, 1000);
    origin_tell(&host, &down);
    cr_assert_eq(atomic_load(&down), 0);
    origin_mark_down(&origins[0], 100, 1000);
    cr_assert_eq(atomic_load(&down), 1);
    origin_mark_down(&origins[2], 100, 1000);
    cr_assert_eq(atomic_load(&down), 3);
    origin_mark_up(&origins[0]);
    origin_mark_up(&origins[1]);
    cr_assert_eq(atomic_load(&down), 0);
    origin_tell(&host, NULL);
    origin_mark_down(&origins[0], 100, 1000);
    cr_assert_eq(atomic_load(&down), 0);
}
