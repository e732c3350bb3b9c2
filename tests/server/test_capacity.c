/* Raising the limit and what is said of it: tests/integration/test_capacity.py. Here: how descriptors are shared out. */
#include "config/settings.h"
#include "relay/relay.h"
#include "server/capacity.h"

#include <criterion/criterion.h>

static const struct capacity_need unset = {
    .connections = SETTINGS_CONNECTIONS_DEFAULT, .is_set = false, .shards = 2, .listeners = 1};

static struct capacity_need set(uint32_t connections) {
    return (struct capacity_need){.connections = connections, .is_set = true, .shards = 2, .listeners = 1};
}

Test(capacity, the_default_is_65536_where_it_fits) {
    uint64_t once = capacity_descriptors(&unset, 65536, RELAY_IDLE_TOTAL_MAX);
    uint64_t twice = capacity_descriptors(&unset, 131072, RELAY_IDLE_TOTAL_MAX);
    struct capacity capacity = capacity_plan(&unset, twice);
    cr_expect_eq(capacity.connections, 65536);
    cr_expect_eq(capacity.connections_max, 131072);
    cr_expect_eq(capacity.unset, 65536);
    cr_expect_eq(capacity.idle, RELAY_IDLE_TOTAL_MAX);
    capacity = capacity_plan(&unset, twice - 1);
    cr_expect_eq(capacity.connections, 65536);
    cr_expect_eq(capacity.connections_max, 65536);
    capacity = capacity_plan(&unset, once);
    cr_expect_eq(capacity.connections, 65536);
    capacity = capacity_plan(&unset, once - 1);
    cr_expect_lt(capacity.connections, 65536);
    cr_expect_gt(capacity.connections, 65000);
    cr_expect_eq(capacity.unset, capacity.connections);
    cr_expect_eq(capacity.connections_max, capacity.connections);
}

/* Whatever the machine: the number is the largest that fits, and shards share it without a rest. */
Test(capacity, what_is_not_set_is_the_largest_that_fits) {
    for (unsigned shards = 1; shards <= 64; shards++) {
        for (size_t listeners = 1; listeners <= 2; listeners++) {
            struct capacity_need need = unset;
            need.shards = shards;
            need.listeners = listeners;
            for (uint64_t descriptors = 1024; descriptors < 200000; descriptors = descriptors * 5 / 4) {
                struct capacity capacity = capacity_plan(&need, descriptors);
                cr_assert(capacity.connections >= shards, "%u shards, %zu listeners, %lu descriptors", shards, listeners,
                          (unsigned long)descriptors);
                cr_assert(capacity.idle >= 1 && capacity.idle <= RELAY_IDLE_TOTAL_MAX);
                cr_assert(capacity_descriptors(&need, capacity.connections_max, capacity.idle) <= descriptors);
                if (capacity.connections == 65536) {
                    continue;
                }
                cr_assert_eq(capacity.connections % shards, 0);
                uint32_t more = capacity.connections + shards;
                uint32_t idle = more / shards < RELAY_IDLE_TOTAL_MAX ? more / shards : RELAY_IDLE_TOTAL_MAX;
                cr_assert(more > 65536 || capacity_descriptors(&need, more, idle) > descriptors);
            }
        }
    }
}

Test(capacity, with_1024_descriptors_there_are_hundreds_of_connections) {
    struct capacity capacity = capacity_plan(&unset, 1024);
    cr_expect(capacity.connections >= 300, "%u", capacity.connections);
}

Test(capacity, a_set_number_stays_or_is_told_the_largest_that_fits) {
    struct capacity_need need = set(4096);
    struct capacity fits = capacity_plan(&need, 1000000);
    cr_expect_eq(fits.connections, 4096);
    cr_expect_eq(fits.connections_max, 8192);
    cr_expect_eq(fits.unset, SETTINGS_CONNECTIONS_DEFAULT);
    struct capacity scarce = capacity_plan(&need, 2000);
    cr_expect_lt(scarce.connections, 4096);
    need = set(scarce.connections);
    fits = capacity_plan(&need, 2000);
    cr_expect_eq(fits.connections, scarce.connections, "what the message names is taken");
    need = set(1000000);
    cr_expect_eq(capacity_plan(&need, 10000000).connections_max, 1000000);
}

/* Pools give way before connections do, and have room for one of each client all the same. */
Test(capacity, pools_shrink_first) {
    struct capacity_need need = set(256);
    uint64_t roomy = capacity_descriptors(&need, 256, RELAY_IDLE_TOTAL_MAX);
    cr_expect_eq(capacity_plan(&need, roomy).idle, RELAY_IDLE_TOTAL_MAX);
    struct capacity scarce = capacity_plan(&need, roomy - 1);
    cr_expect_eq(scarce.connections, 256);
    cr_expect_eq(scarce.connections_max, 256);
    cr_expect_eq(scarce.idle, 128);
    cr_expect(capacity_descriptors(&need, 256, 128) <= 1024);
}

Test(capacity, more_shards_than_descriptors_is_none_at_all) {
    struct capacity_need need = unset;
    need.shards = 1024;
    cr_expect_eq(capacity_plan(&need, 1024).connections, 0);
    need = set(1);
    cr_expect_eq(capacity_plan(&need, 64).connections, 0);
}

/* One ring may not have more direct descriptors than the process may have file descriptors, however few are open. */
Test(capacity, many_listeners_count_for_each_ring) {
    struct capacity_need need = set(1);
    need.shards = 1;
    need.listeners = 64;
    cr_expect_geq(capacity_descriptors(&need, 1, 1), 1 + 64 + 64 * 16);
}

Test(capacity, a_later_configuration_that_does_not_set_it_has_what_the_start_found) {
    struct config config = {.limits = {.connections = 65536}};
    struct capacity capacity = capacity_plan(&unset, 1024);
    cr_expect_eq(capacity_connections(&capacity, &config), capacity.connections);
    config.limits = (struct config_limits){.connections = 65536, .connections_line = 7};
    cr_expect_eq(capacity_connections(&capacity, &config), 65536);
}
