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
        origins[i] = (struct relay_origin){.host = &host, .configured = &configured[i > 0]};
        list[i] = &origins[i];
    }
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

Test(origin, is_usable_unless_it_refused_lately_or_is_ejected) {
    begin(1);
    cr_assert(origin_is_usable(&origins[0], 100));
    origin_mark_down(&origins[0], 100, 1000);
    cr_assert_not(origin_is_usable(&origins[0], 1099));
    cr_assert(origin_is_usable(&origins[0], 1100));
    ejection_begin(&origins[0].ejection, 2000);
    cr_assert_not(origin_is_usable(&origins[0], 2000));
    cr_assert(origin_is_usable(&origins[0], 2000 + EJECTION_STEP_MS));
}

Test(origin, is_unhealthy_while_its_health_checks_fail_but_not_those_of_all) {
    static struct health_entry entries[3];

    begin(3);
    cr_assert_not(origin_is_unhealthy(&origins[0]));
    for (uint32_t i = 0; i < 3; i++) {
        origins[i].health = &entries[i];
    }
    cr_assert(origin_is_usable(&origins[1], 100));
    health_entry_set(&entries[1], true);
    cr_assert(origin_is_unhealthy(&origins[1]));
    cr_assert_not(origin_is_unhealthy(&origins[0]));
    cr_assert_not(origin_is_usable(&origins[1], 100));
    health_entry_set(&entries[0], true);
    health_entry_set(&entries[2], true);
    for (uint32_t i = 0; i < 3; i++) {
        cr_assert_not(origin_is_unhealthy(&origins[i]));
        cr_assert(origin_is_usable(&origins[i], 100));
    }
}
