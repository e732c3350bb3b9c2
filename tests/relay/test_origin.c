#include "relay/origin.h"

#include <criterion/criterion.h>

static struct relay_origin origins[CONFIG_ORIGIN_ADDRESSES_MAX];

static struct relay_host host_of(uint32_t count) {
    memset(origins, 0, sizeof origins);
    return (struct relay_host){.origins = origins, .count = count};
}

static int choose(struct relay_host *host, uint64_t tried, uint64_t now_ms) {
    struct relay_origin *origin = origin_choose(host, tried, now_ms);

    return origin == NULL ? -1 : (int)(origin - origins);
}

Test(origin, takes_turns) {
    struct relay_host host = host_of(3);

    for (int i = 0; i < 9; i++) {
        cr_assert_eq(choose(&host, 0, 100), i % 3);
    }
}

Test(origin, one_address_is_always_chosen_until_tried) {
    struct relay_host host = host_of(1);

    cr_assert_eq(choose(&host, 0, 100), 0);
    origin_mark_down(&origins[0], 100, 1000);
    cr_assert_eq(choose(&host, 0, 101), 0);
    cr_assert_eq(choose(&host, 1, 101), -1);
}

Test(origin, passes_over_what_is_down_and_shares_the_rest_evenly) {
    struct relay_host host = host_of(3);
    int times[3] = {0};

    origin_mark_down(&origins[1], 100, 1000);
    for (int i = 0; i < 10; i++) {
        times[choose(&host, 0, 500)]++;
    }
    cr_assert_eq(times[0], 5);
    cr_assert_eq(times[1], 0);
    cr_assert_eq(times[2], 5);
}

Test(origin, is_tried_again_when_its_time_is_over) {
    struct relay_host host = host_of(2);

    origin_mark_down(&origins[0], 100, 1000);
    cr_assert_eq(choose(&host, 0, 1099), 1);
    cr_assert_eq(choose(&host, 0, 1100), 0);
}

Test(origin, all_down_are_tried_each_once) {
    struct relay_host host = host_of(4);
    uint64_t tried = 0;

    for (int i = 0; i < 4; i++) {
        origin_mark_down(&origins[i], 100, 1000);
    }
    for (int i = 0; i < 4; i++) {
        int index = choose(&host, tried, 200);

        cr_assert_geq(index, 0);
        cr_assert_eq(tried >> index & 1, 0);
        tried |= UINT64_C(1) << index;
    }
    cr_assert_eq(choose(&host, tried, 200), -1);
}

Test(origin, the_last_of_the_largest_number_is_reached) {
    struct relay_host host = host_of(CONFIG_ORIGIN_ADDRESSES_MAX);

    cr_assert_eq(choose(&host, UINT64_MAX >> 1, 100), 63);
    cr_assert_eq(choose(&host, UINT64_MAX, 100), -1);
    cr_assert_eq(choose(&host, 0, 100), 0);
}

Test(origin, tells_each_outage_once) {
    host_of(1);
    cr_assert(origin_mark_down(&origins[0], 100, 1000));
    cr_assert_not(origin_mark_down(&origins[0], 500, 1000));
    cr_assert(origin_mark_down(&origins[0], 1500, 1000));
    cr_assert(origin_mark_up(&origins[0]));
    cr_assert_not(origin_mark_up(&origins[0]));
}
