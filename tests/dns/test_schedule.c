#include "dns/schedule.h"

#include <criterion/criterion.h>

static struct dns_schedule schedule;

static uint64_t delay_after_found(uint32_t ttl_s, uint32_t chance) {
    dns_schedule_found(&schedule, 1000, ttl_s, chance);
    return schedule.due_ms - 1000;
}

static uint64_t delay_after_failure(uint32_t chance) {
    dns_schedule_failed(&schedule, 1000, chance);
    return schedule.due_ms - 1000;
}

Test(schedule, follows_the_ttl_within_its_bounds) {
    cr_expect_eq(delay_after_found(30, 0), 30000);
    cr_expect_eq(delay_after_found(0, 0), 1000);
    cr_expect_eq(delay_after_found(1, 0), 1000);
    cr_expect_eq(delay_after_found(3600, 0), 3600000);
    cr_expect_eq(delay_after_found(86400, 0), 3600000);
    cr_expect_eq(delay_after_found(UINT32_MAX, 0), 3600000);
}

/* Never sooner than the TTL, when the answer would be the same, and at most a tenth later. */
Test(schedule, spreads_look_ups) {
    cr_expect_eq(delay_after_found(10, 1000), 11000);
    cr_expect_eq(delay_after_found(10, 1001), 10000);
    for (uint32_t chance = 0; chance < 5000; chance++) {
        uint64_t delay = delay_after_found(10, chance * 2654435761U);
        cr_assert(delay >= 10000 && delay <= 11000);
    }
}

Test(schedule, asks_again_soon_and_then_less_often) {
    static const uint64_t expected[] = {1000, 2000, 4000, 8000, 16000, 30000, 30000};

    dns_schedule_found(&schedule, 1000, 30, 0);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        cr_expect_eq(delay_after_failure(0), expected[i]);
    }
    dns_schedule_found(&schedule, 1000, 30, 0);
    cr_expect_eq(delay_after_failure(0), 1000);
}

Test(schedule, tells_where_an_outage_begins_and_ends) {
    cr_expect_not(dns_schedule_found(&schedule, 0, 30, 0));
    cr_expect(dns_schedule_failed(&schedule, 0, 0));
    cr_expect_not(dns_schedule_failed(&schedule, 0, 0));
    cr_expect(dns_schedule_found(&schedule, 0, 30, 0));
    cr_expect_not(dns_schedule_found(&schedule, 0, 30, 0));
}

/* A simulated day: a name with a TTL of 5 s that fails for an hour. */
Test(schedule, a_day) {
    unsigned look_ups = 0, failures = 0, outages = 0;

    dns_schedule_found(&schedule, 0, 5, 0);
    for (uint64_t now = 0; now < UINT64_C(24) * 3600 * 1000; now = schedule.due_ms) {
        bool fails = now >= UINT64_C(3600) * 1000 && now < UINT64_C(7200) * 1000;

        look_ups++;
        failures += fails;
        if (fails) {
            outages += dns_schedule_failed(&schedule, now, (uint32_t)now * 2654435761U);
        } else {
            dns_schedule_found(&schedule, now, 5, (uint32_t)now * 2654435761U);
        }
    }
    cr_expect_eq(outages, 1);
    cr_expect(failures >= 3600 / 33 && failures <= 3600 / 30 + 6, "%u", failures);
    cr_expect(look_ups - failures >= 23 * 3600 / 6 && look_ups - failures <= 23 * 3600 / 5 + 1, "%u", look_ups);
}
