#include "base/bits.h"
#include "relay/origin.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct config_origin configured[2];
static const struct config_host configured_host = {.origins = configured, .origin_count = 2};
static struct relay_host host;
static struct relay_origin origins[CONFIG_ORIGIN_ADDRESSES_MAX];
static uint32_t up[2];

/* The first is of the first origin of the configuration, all others are of the second one. */
static void begin(uint32_t count) {
    host = (struct relay_host){.configured = &configured_host, .up = up};
    for (uint32_t i = 0; i < count; i++) {
        origins[i] = (struct relay_origin){.host = &host, .configured = &configured[i > 0]};
        cr_assert_eq(origin_join(&origins[i]), 0);
    }
}

static void end(void) {
    while (host.count > 0) {
        origin_part(host.origins[0]);
    }
    free(host.origins);
}

Test(origin, tells_each_outage_once) {
    begin(1);
    cr_assert(origin_mark_down(&origins[0], 100, 1000));
    cr_assert_not(origin_mark_down(&origins[0], 500, 1000));
    cr_assert(origin_mark_down(&origins[0], 1500, 1000));
    cr_assert(origin_mark_up(&origins[0]));
    cr_assert_not(origin_mark_up(&origins[0]));
}

Test(origin, has_news_of_each_kind_once_in_a_while) {
    begin(2);
    cr_assert(origin_is_news(&origins[0], ORIGIN_NEWS_CONNECTION, 100));
    cr_assert_not(origin_is_news(&origins[0], ORIGIN_NEWS_CONNECTION, 100 + ORIGIN_NEWS_MS - 1));
    cr_assert(origin_is_news(&origins[0], ORIGIN_NEWS_ANSWER, 100));
    cr_assert(origin_is_news(&origins[1], ORIGIN_NEWS_CONNECTION, 100));
    cr_assert(origin_is_news(&origins[0], ORIGIN_NEWS_CONNECTION, 100 + ORIGIN_NEWS_MS));
    end();
}

/* An origin of the configuration is down when all its addresses are; another's do not count. */
Test(origin, tells_which_origins_are_down) {
    _Atomic uint64_t down[BITS_WORDS] = {UINT64_MAX};

    begin(3);
    origin_mark_down(&origins[1], 100, 1000);
    origin_tell(&host, down);
    cr_assert_eq(atomic_load(down), 0);
    origin_mark_down(&origins[0], 100, 1000);
    cr_assert_eq(atomic_load(down), 1);
    origin_mark_down(&origins[2], 100, 1000);
    cr_assert_eq(atomic_load(down), 3);
    origin_mark_up(&origins[0]);
    origin_mark_up(&origins[1]);
    cr_assert_eq(atomic_load(down), 0);
    origin_tell(&host, NULL);
    origin_mark_down(&origins[0], 100, 1000);
    cr_assert_eq(atomic_load(down), 0);
    end();
}

/* An item has a bit of its own in whichever word; an address that goes counts no more, and one that comes does. */
Test(origin, tells_of_a_thousand_items) {
    static struct config_origin many[CONFIG_ORIGIN_ADDRESSES_MAX];
    static uint32_t many_up[CONFIG_ORIGIN_ADDRESSES_MAX];
    const struct config_host many_host = {.origins = many, .origin_count = CONFIG_ORIGIN_ADDRESSES_MAX};
    _Atomic uint64_t down[BITS_WORDS] = {0};

    host = (struct relay_host){.configured = &many_host, .up = many_up};
    for (uint32_t i = 0; i < CONFIG_ORIGIN_ADDRESSES_MAX; i++) {
        origins[i] = (struct relay_origin){.host = &host, .configured = &many[i]};
        cr_assert_eq(origin_join(&origins[i]), 0);
    }
    origin_tell(&host, down);
    origin_mark_down(&origins[0], 100, 1000);
    origin_mark_down(&origins[1023], 100, 1000);
    cr_expect_eq(atomic_load(&down[0]), 1);
    cr_expect_eq(atomic_load(&down[15]), UINT64_C(1) << 63);
    origin_part(&origins[500]);
    cr_expect_eq(atomic_load(&down[500 / 64]), UINT64_C(1) << 500 % 64, "an item without an address is not up");
    cr_expect_eq(origin_join(&origins[500]), 0);
    cr_expect_eq(atomic_load(&down[500 / 64]), 0);
    end();
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
    _Atomic uint64_t changes = 1;

    for (unsigned counted = 0; counted < 2; counted++) {
        struct health_entry entries[3] = {0};

        begin(3);
        cr_assert_not(origin_is_unhealthy(&origins[0]));
        for (uint32_t i = 0; i < 3; i++) {
            entries[i].changes = counted ? &changes : NULL;
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
        health_entry_set(&entries[2], false);
        cr_assert(origin_is_unhealthy(&origins[0]));
        origin_part(&origins[2]);
        cr_assert_not(origin_is_unhealthy(&origins[0]), "the healthy one has gone");
        end();
    }
}
