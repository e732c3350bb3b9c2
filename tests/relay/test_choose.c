#include "relay/choose.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

enum { ORIGINS_MAX = 70 };

static struct config_origin configured[ORIGINS_MAX];
static struct config_host configured_host;
static struct relay_host host;
static struct relay_origin origins[ORIGINS_MAX];
static uint32_t up[ORIGINS_MAX];
static struct balance_tried tried;
static bool full;

/* Of these, the last `backups` are backups. */
static void begin(uint32_t count, uint32_t backups) {
    configured_host = (struct config_host){.name = "a.test", .origins = configured, .origin_count = count};
    host = (struct relay_host){.up = up, .configured = &configured_host};
    memset(&tried, 0, sizeof tried);
    choose_begin(&host);
    for (uint32_t i = 0; i < count; i++) {
        configured[i] = (struct config_origin){.weight = 1, .backup = i + backups >= count};
        origins[i] = (struct relay_origin){.host = &host, .configured = &configured[i]};
        snprintf(origins[i].text, sizeof origins[i].text, "127.0.0.1:%u", i + 1);
        cr_assert_eq(choose_add(&origins[i]), 0);
        cr_assert_eq(origin_join(&origins[i]), 0);
    }
}

static void end(void) {
    while (host.count > 0) {
        choose_remove(host.origins[0]);
        origin_part(host.origins[0]);
    }
    free(host.origins);
    choose_end(&host);
}

static int choose_at(uint64_t now_ms) {
    struct relay_origin *origin = choose_next(&host, &tried, 0, now_ms, &full);

    return origin == NULL ? -1 : (int)(origin - origins);
}

static void bound(uint32_t i, uint32_t in_flight, uint32_t shards) {
    configured[i].in_flight = in_flight;
    choose_share(&origins[i], shards);
}

Test(choose, takes_turns, .fini = end) {
    begin(3, 0);
    for (int i = 0; i < 9; i++) {
        cr_assert_eq(choose_at(100), i % 3);
    }
}

Test(choose, one_address_is_always_chosen_until_tried, .fini = end) {
    begin(1, 0);
    cr_assert_eq(choose_at(100), 0);
    origin_mark_down(&origins[0], 100, 1000);
    cr_assert_eq(choose_at(101), 0);
    balance_note_tried(&tried, &origins[0].member);
    cr_assert_eq(choose_at(101), -1);
    cr_assert_not(full);
}

Test(choose, passes_over_what_is_down_and_shares_the_rest_evenly, .fini = end) {
    begin(3, 0);
    int times[3] = {0};

    origin_mark_down(&origins[1], 100, 1000);
    for (int i = 0; i < 10; i++) {
        times[choose_at(500)]++;
    }
    cr_assert_eq(times[0], 5);
    cr_assert_eq(times[1], 0);
    cr_assert_eq(times[2], 5);
}

/* To the millisecond, and at once when a connection was made. */
Test(choose, tries_again_when_the_time_is_over, .fini = end) {
    begin(2, 0);
    origin_mark_down(&origins[0], 100, 1000);
    for (uint64_t now_ms = 100; now_ms < 1100; now_ms++) {
        cr_assert_eq(choose_at(now_ms), 1);
    }
    balance_note_tried(&tried, &origins[1].member);
    cr_assert_eq(choose_at(1100), 0);
    tried.count = 0;
    origin_mark_down(&origins[1], 1100, 1000);
    cr_assert_eq(choose_at(1101), 0);
    cr_assert_eq(choose_at(1102), 0);
    origin_mark_up(&origins[1]);
    balance_note_tried(&tried, &origins[0].member);
    cr_assert_eq(choose_at(1103), 1);
}

Test(choose, all_down_are_tried_each_once, .fini = end) {
    begin(4, 1);
    for (int i = 0; i < 4; i++) {
        origin_mark_down(&origins[i], 100, 1000);
    }
    for (int i = 0; i < 4; i++) {
        int index = choose_at(200);

        cr_assert_geq(index, 0);
        cr_assert_not(balance_was_tried(&tried, &origins[index].member));
        cr_assert_eq(index == 3, i == 3, "the backup is the last");
        balance_note_tried(&tried, &origins[index].member);
    }
    cr_assert_eq(choose_at(200), -1);
}

Test(choose, one_that_comes_back_begins_slowly, .fini = end) {
    uint32_t times[2] = {0};

    begin(2, 0);
    origin_mark_down(&origins[0], 100, 1000);
    cr_assert_eq(choose_at(200), 1);
    cr_assert_eq(choose_at(300), 1);
    for (uint64_t now_ms = 1100; now_ms < 1100 + CHOOSE_RAMP_MS; now_ms++) {
        times[choose_at(now_ms)]++;
    }
    /* The part of its ramp: the integral of t / (1 + t) from 0 to 1 is 0.307. */
    cr_assert(times[0] > CHOOSE_RAMP_MS * 28 / 100 && times[0] < CHOOSE_RAMP_MS * 33 / 100, "%u", times[0]);
    times[0] = 0;
    for (int i = 0; i < 100; i++) {
        times[0] += choose_at(1200 + CHOOSE_RAMP_MS) == 0;
    }
    cr_assert(times[0] >= 49 && times[0] <= 51, "%u", times[0]);
}

Test(choose, backups_serve_while_no_other_is_up, .fini = end) {
    begin(3, 1);
    for (int i = 0; i < 6; i++) {
        cr_assert_eq(choose_at(100), i % 2);
    }
    origin_mark_down(&origins[0], 100, 1000);
    cr_assert_eq(choose_at(200), 1);
    cr_assert_eq(choose_at(200), 1);
    origin_mark_down(&origins[1], 200, 1000);
    cr_assert_eq(choose_at(300), 2);
    cr_assert_eq(choose_at(300), 2);
    origin_mark_up(&origins[1]);
    cr_assert_eq(choose_at(310), 1);
    cr_assert_eq(choose_at(311), 1);
}

Test(choose, one_without_room_is_passed_over, .fini = end) {
    begin(2, 0);
    bound(0, 2, 1);
    choose_enter(&origins[0]);
    cr_assert_not(choose_is_full(&origins[0]));
    choose_enter(&origins[0]);
    cr_assert(choose_is_full(&origins[0]));
    for (int i = 0; i < 4; i++) {
        cr_assert_eq(choose_at(100), 1);
    }
    choose_leave(&origins[0]);
    cr_assert_eq(choose_at(100), 0);
    choose_leave(&origins[0]);
}

/* One that has no room is up: no backup takes its place. */
Test(choose, where_none_has_room_there_is_something_to_wait_for, .fini = end) {
    begin(2, 1);
    bound(0, 1, 1);
    choose_enter(&origins[0]);
    cr_assert_eq(choose_at(100), -1);
    cr_assert(full);
    origin_mark_down(&origins[0], 100, 1000);
    cr_assert_eq(choose_at(200), 1);
    cr_assert_not(full);
    origin_mark_down(&origins[1], 200, 1000);
    cr_assert_eq(choose_at(300), -1);
    cr_assert(full, "one that is down has no room either");
    choose_leave(&origins[0]);
    cr_assert_eq(choose_at(300), 0);
}

/* Also one that had none when it went down. */
Test(choose, one_that_comes_back_without_room_is_full, .fini = end) {
    begin(2, 0);
    bound(0, 1, 1);
    choose_enter(&origins[0]);
    origin_mark_down(&origins[0], 100, 1000);
    cr_assert_eq(choose_at(200), 1);
    cr_assert_eq(choose_at(1200), 1);
    cr_assert_eq(choose_at(1201), 1);
    choose_leave(&origins[0]);
    balance_note_tried(&tried, &origins[1].member);
    cr_assert_eq(choose_at(1202), 0);
}

Test(choose, the_bound_is_shared_by_the_shards, .fini = end) {
    begin(3, 0);
    bound(0, 100, 8);
    bound(1, 3, 8);
    bound(2, 0, 8);
    cr_assert_eq(origins[0].in_flight_max, 13);
    cr_assert_eq(origins[1].in_flight_max, 1);
    cr_assert_eq(origins[2].in_flight_max, 0);
    cr_assert_eq(host.line_max, 14);
    cr_assert_not(choose_is_full(&origins[2]));
}

static void fail(struct relay_origin *origin, int times, uint64_t now_ms) {
    for (int i = 0; i < times; i++) {
        choose_note_failure(origin, now_ms);
    }
}

Test(choose, one_that_fails_in_a_row_is_ejected_and_comes_back, .fini = end) {
    struct stats_host counters = {0};

    begin(2, 0);
    host.counters = &counters;
    fail(&origins[0], EJECTION_FAILURES - 1, 1000);
    choose_note_success(&origins[0]);
    fail(&origins[0], EJECTION_FAILURES - 1, 1000);
    cr_assert_eq(stats_read(&counters.origin_ejections), 0);
    fail(&origins[0], 1, 1000);
    cr_assert_eq(stats_read(&counters.origin_ejections), 1);
    for (uint64_t now_ms = 1000; now_ms < 11000; now_ms += 10) {
        cr_assert_eq(choose_at(now_ms), 1);
    }
    balance_note_tried(&tried, &origins[1].member);
    cr_assert_eq(choose_at(11000), 0);
    cr_assert_not(origins[0].ejected);
}

Test(choose, no_more_than_half_are_ejected, .fini = end) {
    begin(5, 0);
    for (int i = 0; i < 5; i++) {
        fail(&origins[i], 10, 1000);
    }
    cr_assert(origins[0].ejected && origins[1].ejected && !origins[2].ejected && !origins[3].ejected && !origins[4].ejected);
    int times[5] = {0};
    for (int i = 0; i < 9; i++) {
        times[choose_at(1000)]++;
    }
    cr_assert(times[2] == 3 && times[3] == 3 && times[4] == 3);
    end();
    begin(1, 0);
    fail(&origins[0], 100, 1000);
    cr_assert_not(origins[0].ejected, "the only one");
}

/* Those that are ejected serve when all others are down. */
Test(choose, all_are_used_when_none_is_usable, .fini = end) {
    begin(2, 0);
    fail(&origins[0], EJECTION_FAILURES, 1000);
    origin_mark_down(&origins[1], 1000, 5000);
    int times[2] = {0};
    for (int i = 0; i < 10; i++) {
        times[choose_at(1500)]++;
    }
    cr_assert(times[0] >= 4 && times[1] >= 4);
}

Test(choose, a_client_goes_to_one_origin_and_to_another_while_that_is_down, .fini = end) {
    begin(5, 0);
    configured_host.balance = host.balance.kind = CONFIG_HASH;
    for (uint64_t client = 0; client < 50; client++) {
        uint64_t hash = client * UINT64_C(0x9e3779b97f4a7c15);
        struct relay_origin *home = choose_next(&host, &tried, hash, 100, &full);

        cr_assert_eq(choose_next(&host, &tried, hash, 100, &full), home);
        origin_mark_down(home, 100, 1000);
        struct relay_origin *next = choose_next(&host, &tried, hash, 100, &full);
        cr_assert_neq(next, home);
        cr_assert_eq(choose_next(&host, &tried, hash, 100, &full), next);
        origin_mark_up(home);
        cr_assert_eq(choose_next(&host, &tried, hash, 100, &full), home);
    }
}

static struct health_entry entries[ORIGINS_MAX];

/* Has all origins probed, of which those in `failing` are down. */
static void probe(uint32_t count, uint64_t failing) {
    for (uint32_t i = 0; i < count; i++) {
        health_entry_set(&entries[i], (failing >> i & 1) != 0);
        origins[i].health = &entries[i];
    }
}

Test(choose, one_whose_health_checks_fail_is_not_chosen_whatever_else_there_is, .fini = end) {
    begin(3, 0);
    probe(3, 1 << 1);
    for (int i = 0; i < 4; i++) {
        cr_assert_eq(choose_at(100), i % 2 * 2);
    }
    origin_mark_down(&origins[0], 100, 1000);
    origin_mark_down(&origins[2], 100, 1000);
    for (int i = 0; i < 4; i++) {
        cr_assert_neq(choose_at(200), 1, "one that has refused a connection may still do");
    }
    balance_note_tried(&tried, &origins[0].member);
    balance_note_tried(&tried, &origins[2].member);
    cr_assert_eq(choose_at(200), -1);
    cr_assert_not(full);
    health_entry_set(&entries[1], false);
    cr_assert_eq(choose_at(200), 1, "at once, since there is no other");
}

Test(choose, one_whose_health_checks_fail_no_more_begins_slowly, .fini = end) {
    uint32_t times[2] = {0};

    begin(2, 0);
    probe(2, 1 << 0);
    cr_assert_eq(choose_at(100), 1);
    cr_assert_eq(choose_at(100), 1);
    health_entry_set(&entries[0], false);
    for (uint64_t now_ms = 200; now_ms < 200 + CHOOSE_RAMP_MS; now_ms++) {
        times[choose_at(now_ms)]++;
    }
    cr_assert(times[0] > CHOOSE_RAMP_MS * 28 / 100 && times[0] < CHOOSE_RAMP_MS * 33 / 100, "%u", times[0]);
}

Test(choose, backups_serve_while_the_health_checks_of_all_others_fail, .fini = end) {
    begin(3, 1);
    probe(3, 1 << 0 | 1 << 1);
    for (int i = 0; i < 4; i++) {
        cr_assert_eq(choose_at(100), 2);
    }
    health_entry_set(&entries[1], false);
    cr_assert_eq(choose_at(300), 1);
}

/* As if they were up: by turn, those that have refused a connection last, and backups not before. */
Test(choose, all_are_used_when_the_health_checks_of_all_fail, .fini = end) {
    struct stats_host counters = {0};
    int times[4] = {0};

    begin(4, 1);
    host.counters = &counters;
    probe(4, 1 << 1);
    cr_assert_neq(choose_at(100), 1);
    origin_mark_down(&origins[2], 100, 1000);
    probe(4, 15);
    for (int i = 0; i < 10; i++) {
        int index = choose_at(110);

        times[index]++;
        choose_enter(&origins[index]);
        choose_leave(&origins[index]);
    }
    cr_assert(times[0] > 0 && times[0] + times[1] == 10, "%d and %d", times[0], times[1]);
    cr_assert_eq(stats_read(&counters.unhealthy_used), 10);
    health_entry_set(&entries[3], false);
    cr_assert_eq(choose_at(300), 3);
    choose_enter(&origins[3]);
    choose_leave(&origins[3]);
    cr_assert_eq(stats_read(&counters.unhealthy_used), 10);
}

/* Neither the end of its ejection nor of its failures has it chosen while its health checks fail. */
Test(choose, one_that_is_ejected_and_unhealthy_is_out_for_both, .fini = end) {
    begin(3, 0);
    probe(3, 1 << 0);
    fail(&origins[0], EJECTION_FAILURES, 1000);
    origin_mark_down(&origins[1], 1000, 1000);
    origin_mark_down(&origins[2], 1000, 1000);
    for (int i = 0; i < 4; i++) {
        cr_assert_neq(choose_at(1500), 0);
    }
    for (uint64_t now_ms = 2000; now_ms < 20000; now_ms += 10) {
        cr_assert_neq(choose_at(now_ms), 0);
    }
    health_entry_set(&entries[0], false);
    balance_note_tried(&tried, &origins[1].member);
    balance_note_tried(&tried, &origins[2].member);
    cr_assert_eq(choose_at(20100), 0);
}

/* Each level serves while none of a lower one is up, and backups come behind all of them. */
Test(choose, levels_in_their_order, .fini = end) {
    begin(4, 1);
    for (uint16_t i = 0; i < 4; i++) {
        cr_assert_eq(choose_rank(&origins[i], (struct dns_rank){.level = i < 3 ? 2 - i : 0}), 0);
    }
    static const int order[] = {2, 1, 0, 3};
    for (uint32_t i = 0; i < 4; i++) {
        cr_assert_eq(choose_at(100), order[i]);
        origin_mark_down(&origins[order[i]], 100, 1000);
    }
    cr_assert_eq(choose_at(101), 2, "none is up");
    origin_mark_up(&origins[1]);
    cr_assert_eq(choose_at(102), 1);
    cr_assert_eq(choose_at(1100), 2, "the lowest is back");
}

/* A level that has no room is waited for, as one that is up. */
Test(choose, a_level_without_room_is_up, .fini = end) {
    begin(2, 0);
    bound(0, 1, 1);
    cr_assert_eq(choose_rank(&origins[1], (struct dns_rank){.level = 1, .share = 7}), 0);
    choose_enter(&origins[0]);
    cr_assert_eq(choose_at(100), -1);
    cr_assert(full);
    choose_leave(&origins[0]);
    cr_assert_eq(choose_at(100), 0);
}
